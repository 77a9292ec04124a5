-- However old: only the dead are pruned.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.set_clock('2027-01-01 12:00Z');
select messenger_prune(interval '0');
select is(array(select type from messenger_messages), array['A'], 'it still waits');
select is(
  test.types(test.claim(test.token(1)) -> 'messages'), array['A'], 'and is claimed'
);

select * from finish();
rollback;
