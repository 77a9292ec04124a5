-- The request carries the tick's id, so that a request that comes twice is one tick.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create temp table asked as select messenger.ask_tick() as id;
select results_eq(
  'select id, started_at, rested_at, ended_at from messenger_ticks',
  'select id, null::timestamptz, null::timestamptz, null::timestamptz from asked',
  'it is registered as asked for'
);
select results_eq(
  $$select convert_from(q.body, 'UTF8')::jsonb from net.http_request_queue q$$,
  $$select jsonb_build_object('wait', false, 'tick', id::text) from asked$$, 'and posted'
);
select cmp_ok(
  (select asked_at from messenger_ticks), '>', now(), 'its time is the wall''s, not the bus''s'
);

select * from finish();
rollback;
