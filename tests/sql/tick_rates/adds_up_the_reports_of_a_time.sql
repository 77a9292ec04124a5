begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_ticks (started_at, ended_at, report) values
  ('2026-01-01Z', '2026-01-01 10:00Z', '{"claimed":100,"handled":100,"retried":0,"failed":0}'),
  ('2026-01-01Z', '2026-01-01 11:58Z', '{"claimed":5,"handled":3,"retried":1,"failed":1}'),
  ('2026-01-01Z', '2026-01-01 11:59Z', '{"claimed":2,"handled":2,"retried":0,"failed":0}'),
  ('2026-01-01Z', '2026-01-01 11:59Z', null),
  ('2026-01-01Z', null, null);

select is(
  messenger.tick_rates(interval '5 minutes'),
  '{"seconds":300,"ticks":3,"claimed":7,"handled":5,"retried":1,"failed":1}',
  'ticks that ended within it'
);

select * from finish();
rollback;
