-- With the bound and the words that dispatch has over HTTPS: a handler could not read such a value.
begin;
select plan(13);

create function pg_temp.nested(levels integer, core text default '1') returns jsonb language sql as $$
  select (
    repeat('{"a":[', levels / 2) || case levels % 2 when 1 then '[' else '' end || core
      || case levels % 2 when 1 then ']' else '' end || repeat(']}', levels / 2)
  )::jsonb
$$;

select lives_ok($$select messenger_dispatch('A', pg_temp.nested(100))$$, '100 levels are taken');
select throws_ok(
  format('select messenger_dispatch(''A'', %s)', payload), 'PT400', 'payload: nested deeper than 100 levels', why
)
from (values
  ('pg_temp.nested(101)', '101 levels'), ('pg_temp.nested(100, ''{}'')', 'an empty object at the end'),
  ('pg_temp.nested(2000)', 'many more'), ('jsonb_build_object(''x'', 1, ''y'', jsonb_build_array(pg_temp.nested(98), pg_temp.nested(99)))', 'in one of several places')
) as p (payload, why);
select lives_ok(
  $$select messenger_enqueue(jsonb_build_array(
    jsonb_build_object('type', 'A', 'payload', pg_temp.nested(100)), jsonb_build_object('type', 'A', 'stamps', pg_temp.nested(100))
  ))$$, '100 levels in an array of messages'
);
select throws_ok(
  $$select messenger_enqueue(jsonb_build_array(
    jsonb_build_object('type', 'A'), jsonb_build_object('type', 'A', 'payload', pg_temp.nested(101))
  ))$$, 'PT400', 'messages.1.payload: nested deeper than 100 levels', 'with the place of the message'
);
select throws_ok(
  $$select messenger_enqueue(jsonb_build_array(jsonb_build_object('type', 'A', 'stamps', pg_temp.nested(102))))$$,
  'PT400', 'messages.0.stamps: nested deeper than 100 levels', 'stamps too'
);
select throws_ok(
  $$select messenger_schedule_interval('A', pg_temp.nested(101), interval '1 minute')$$,
  'PT400', 'payload: nested deeper than 100 levels', 'so does a schedule'
);
select throws_ok(
  format($$select messenger_redrive(array[%s], payload => pg_temp.nested(101))$$, test.dead_letter('A')),
  'PT400', 'payload: nested deeper than 100 levels', 'and a redrive with an edited payload'
);
select throws_ok(
  $$select messenger_emit('e', pg_temp.nested(101))$$, 'PT400', 'value: nested deeper than 100 levels', 'an event'
);
select throws_ok(
  $$select messenger_publish('order.paid', pg_temp.nested(102))$$,
  'PT400', 'payload: nested deeper than 100 levels', 'and what goes to webhooks'
);
select is((select count(*) from messenger_messages), 3::bigint, 'nothing else was written');

select * from finish();
rollback;
