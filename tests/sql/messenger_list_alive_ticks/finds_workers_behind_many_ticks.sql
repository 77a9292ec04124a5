-- A worker that began long ago is alive, however many ticks came after it.
begin;
select plan(4);

insert into public.messenger_ticks (started_at, heartbeat_at, rested_at, worker, queues)
values
  (now() - interval '30 days', clock_timestamp() - interval '5 seconds', now() - interval '30 days', 'mars', '{mail}'),
  (now() - interval '30 days', clock_timestamp() - interval '5 minutes', now() - interval '30 days', 'venus', '{mail}');
insert into public.messenger_ticks (asked_at, started_at, heartbeat_at, rested_at, ended_at)
select t, t, t, t, t from (select now() - interval '1 hour' as t from generate_series(1, 300)) as s;
create temp table made as
  select state, test.tick(state) as id
  from unnest(array['asked', 'awake', 'killed', 'resting', 'ended']) as s (state);

create temp table listed as
  select t ->> 'id' as id, t ->> 'worker' as worker, n
  from jsonb_array_elements(messenger_list_alive_ticks() -> 'ticks') with ordinality as e (t, n);

select is((select worker from listed where n = 1), 'mars', 'the worker comes first');
select is((select count(*) from listed where worker = 'venus'), 0::bigint, 'a silent worker is not alive');
select set_eq(
  'select state from made where id::text in (select id from listed)',
  array['asked', 'awake', 'killed', 'resting'], 'ticks with a sign of life within a minute'
);
select is(
  jsonb_array_length(messenger_list_alive_ticks(max_ticks => 2) -> 'ticks'), 2, 'the list is bounded'
);

select * from finish();
rollback;
