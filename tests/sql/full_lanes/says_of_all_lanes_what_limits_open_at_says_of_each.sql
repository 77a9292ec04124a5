-- Lanes with all kinds of limits, of their own and of their queue, with starts and running messages at random times.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select setseed(0.4);

insert into messenger_queues (name, lane_concurrency, lane_rate_limit, lane_rate_period_ms)
values ('reports', 2, 3, 60000);
insert into messenger_queues (name, concurrency, rate_limit, rate_period_ms)
select 'reports/t' || n, case when n % 3 = 0 then 1 + n % 4 end, case when n % 4 = 0 then 1 + n % 5 end, 30000
from generate_series(1, 60) n;
insert into messenger.start_grants (queue, starts_by, messages)
select 'reports/t' || n, messenger_now() + (random() * 200 - 100) * interval '1 second', 1 + (random() * 2)::integer
from generate_series(1, 90) n, generate_series(1, 4);
insert into messenger_messages (type, queue, status, lease_token, leased_until, heartbeated)
select 'T', 'reports/t' || n, 'processing', test.token(1),
  messenger_now() + (random() * 100 - 50) * interval '1 second', random() < 0.8
from generate_series(1, 90) n, generate_series(1, 3);

create temp view one_by_one as
select l.queue, messenger.limits_open_at(messenger.settings_of(l.queue)) as opens_at
from (select 'reports/t' || n as queue from generate_series(1, 90) n) as l;
select set_eq(
  $$select queue, opens_at from messenger.full_lanes('reports')$$,
  $$select queue, opens_at from one_by_one where opens_at is not null$$, 'the same lanes, and the same times'
);
select cmp_ok((select count(*) from messenger.full_lanes('reports')), '>', 20::bigint, 'some are full');
select cmp_ok((select count(*) from messenger.full_lanes('reports')), '<', 90::bigint, 'others are not');

select * from finish();
rollback;
