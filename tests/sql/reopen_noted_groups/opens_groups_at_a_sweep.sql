-- Groups whose next message another session had locked when its turn came.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B');
update messenger_messages set blocked = true where true;
insert into messenger.groups_to_reopen values ('default', 'g'), ('default', 'gone');
select is(
  test.types(test.claim(test.token(1), sweep => false) -> 'messages'), '{}', 'not by every claim'
);
select is(
  messenger_start_tick() -> 'proceed', 'true', 'but a tick that starts has something to do'
);
select is(test.claimed(2), array['A'], 'a claim that sweeps unblocks the message, and gives it');
select is_empty('select from messenger.groups_to_reopen', 'and notes no more');

select * from finish();
rollback;
