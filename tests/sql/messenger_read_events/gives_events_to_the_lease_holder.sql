begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claimed(1);
insert into messenger_events (event, value) values ('x', '1'), ('y', '2'), ('z', '3'), ('x', null);
create function pg_temp.read(worker integer, keys jsonb, more jsonb default '{}') returns jsonb language sql as $$
  select messenger_read_events(jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'token', test.token(worker), 'keys', keys, 'since', '2026-01-01 12:00Z'
  ) || more))
$$;
create function pg_temp.values(answer jsonb) returns jsonb language sql
as $$ select jsonb_path_query_array(answer, '$.reads[0].events[*].value') $$;

select is(pg_temp.values(pg_temp.read(1, '["x","y"]')), '[1,2,null]', 'events of its keys in their order');
select is(
  pg_temp.read(1, '["y"]') -> 'reads', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'more', false, 'events', jsonb_build_array(jsonb_build_object(
      'id', (select id::text from messenger_events where event = 'y'), 'event', 'y', 'value', 2
    ))
  )), 'with id, key and value'
);
select is(
  pg_temp.values(pg_temp.read(1, '["x"]', jsonb_build_object('cursors', jsonb_build_object('x', jsonb_build_object(
    'id', (select min(id)::text from messenger_events), 'snapshot', pg_temp.read(1, '[]') ->> 'snapshot'
  ))))), '[null]', 'behind what it has seen'
);
select is(
  pg_temp.read(2, '["x"]') - array['snapshot', 'last_id'],
  jsonb_build_object('reads', '[]'::jsonb, 'stale', jsonb_build_array(test.id_of('A')::text)), 'none under another token'
);
select is(pg_temp.read(1, '["x"]', '{"since":"2026-01-01 12:01Z"}') #> '{reads,0,events}', '[]', 'none of before');

insert into messenger_events (event, value) select 'many', to_jsonb(n) from generate_series(1, 101) as n;
select is(
  pg_temp.read(1, '["many"]') #> '{reads,0,more}', 'true', 'at most 100 at a time'
);
insert into messenger_events (event, value) select 'large', to_jsonb(repeat('v', 250000)) from generate_series(1, 5);
select is(
  jsonb_array_length(pg_temp.read(1, '["large"]') #> '{reads,0,events}'), 4, 'and at most 1 MiB'
);
select throws_ok(
  $$select messenger_read_events('{}')$$, 'PT400', 'reads: has to be an array of at most 1000 messages', 'reads are an array'
);

select * from finish();
rollback;
