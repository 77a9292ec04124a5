begin;
select plan(7);
select messenger_emit('a', '"first"'), messenger_emit('b'), messenger_emit('a', '{"n":1}');
insert into messenger.waits (event, message_id) select 'a', n from generate_series(1, 150) n;
insert into messenger.waits (event, message_id) values ('b', 1);

create function pg_temp.keys(answer jsonb) returns jsonb language sql as
  $$ select jsonb_path_query_array(answer, '$.events[*].event') $$;
select is(pg_temp.keys(messenger_list_events()), '["a", "b", "a"]', 'the latest first');
select is(pg_temp.keys(messenger_list_events(event => 'a')), '["a", "a"]', 'of a key');
select is(
  pg_temp.keys(messenger_list_events(before_id => (messenger_list_events(max_events => 2) ->> 'next')::bigint)), '["a"]',
  'the next page'
);
select is(
  (messenger_list_events() #> '{events,0}') - '{id,created_at}'::text[],
  '{"event":"a","bytes":8,"waiting":{"count":100,"capped":true}}', 'with how many wait, and without its value'
);
select is(messenger_list_events() #> '{events,1,waiting}', '{"count":1,"capped":false}', 'one waits');
select is(
  messenger_show_event((messenger_list_events() #>> '{events,0,id}')::bigint) -> 'value', '{"n":1}', 'one has its value'
);
select is(messenger_show_event(0), null, 'null where there is none');

select * from finish();
rollback;
