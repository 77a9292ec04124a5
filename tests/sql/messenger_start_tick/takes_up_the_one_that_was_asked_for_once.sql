-- pg_net may send a request again after a restart.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
create temp table asked as select id from messenger_ticks;
select is(
  messenger_start_tick((select id from asked), awake => true),
  jsonb_build_object('id', (select id::text from asked), 'proceed', true, 'fleet', 1, 'version', messenger_version()),
  'it starts'
);
select is(
  (select count(*) from messenger_ticks where started_at is not null), 1::bigint,
  'in the row that was made when it was asked for'
);
select is(
  messenger_start_tick((select id from asked), awake => true),
  jsonb_build_object('id', (select id::text from asked), 'proceed', false, 'fleet', 0, 'version', messenger_version()),
  'the repeated request does nothing'
);
select is(
  messenger_start_tick(999999999, awake => true) -> 'proceed', 'false', 'nor one for a tick unheard of'
);

select * from finish();
rollback;
