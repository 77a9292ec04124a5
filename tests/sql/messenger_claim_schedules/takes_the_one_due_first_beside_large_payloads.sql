-- The payloads that fell due last fill each claim, and the first must not wait for them without end.
begin;
select plan(1);
select test.set_clock('2026-01-08 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, payload) values
  ('first', 'A', 'cron', '* * * * *', '2026-01-08 11:00Z', '1'),
  ('second', 'A', 'cron', '* * * * *', '2026-01-08 11:30Z', '2');
insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, payload)
select 'large ' || n, 'A', 'cron', '* * * * *', '2026-01-08 12:00Z', to_jsonb(repeat('x', 1000000))
from generate_series(1, 8) n;
select ok(
  (messenger_claim_schedules(test.token(1), 100, payloads => true) -> 'schedules') @> '[{"name": "first"}]',
  'the one that fell due first'
);

select * from finish();
rollback;
