-- A month is as long as the month it starts in.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.set_clock('2026-02-10 12:00Z');
select messenger_dispatch('Report', delay => interval '1 month 1 second');
select is(
  (select available_at from messenger_messages), '2026-03-10 12:00:01Z'::timestamptz,
  'from February to March are 28 days'
);

select * from finish();
rollback;
