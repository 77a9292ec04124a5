-- A tick asks it before it rests, and for its whole budget before it starts.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select ok(not messenger.has_due(), 'nothing waits');
select messenger_dispatch('later', delay => interval '10 seconds');
select ok(not messenger.has_due(), 'a message of the future is not due');
select ok(not messenger.has_due(interval '9 seconds'), 'nor sooner than it falls due');
select ok(messenger.has_due(interval '10 seconds'), 'within that time it is');
select messenger_dispatch('now');
select ok(messenger.has_due(), 'a message that is due');
select test.claim(test.token(1));
select ok(not messenger.has_due(), 'one that runs is another''s');

select * from finish();
rollback;
