-- Status and progress, with a stand-in for Supabase's realtime.send and its table.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');

create schema realtime;
create table realtime.messages (
  n serial, topic text, extension text, payload jsonb, event text, private boolean
);
alter table realtime.messages enable row level security;
grant usage on schema realtime to authenticated, service_role;
grant select, insert on realtime.messages to authenticated, service_role;
grant usage on sequence realtime.messages_n_seq to service_role;
create function realtime.topic() returns text language sql stable
as $$ select current_setting('realtime.topic', true) $$;
create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void language sql
as $$
  insert into realtime.messages (topic, extension, payload, event, private)
  values (topic, 'broadcast', payload, event, private)
$$;
select is(messenger_enable_live(), true, 'it is turned on');
select is(messenger_enable_live(), true, 'and once more without harm');

set local role service_role;
select messenger_enqueue('[
  {"type":"Live","payload":{"secret":1},"stamps":{"live":true,"user":{"id":"ann"}}},
  {"type":"Dies","stamps":{"live":true,"user":{"id":"bob"}}},
  {"type":"Quiet","stamps":{"user":{"id":"ann"}}}, {"type":"Backend"}
]');
select test.claim(gen_random_uuid(), queues => array['none']);
select test.claim('00000000-0000-0000-0000-000000000001');
reset role;
select messenger_report_progress(jsonb_build_array(jsonb_build_object(
  'id', test.id_of('Live'), 'token', test.token(1), 'value', 0.5, 'note', 'half'
)));
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('Live', 'Quiet', 'Backend'),
  'dead', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('Dies'), 'reason', 'exhausted', 'errors', '[{"message":"a secret"}]'::jsonb
  ))
)));

select is(
  array(select payload ->> 'status' from realtime.messages where topic = 'messenger:ann' order by n),
  array['pending', 'processing', 'processing', 'handled'], 'all that became of it'
);
select is(
  array(select payload ->> 'status' from realtime.messages where topic = 'messenger:bob' order by n),
  array['pending', 'processing', 'failed'], 'of one that was given up, once'
);
select is(
  (select payload - array['id', 'createdAt', 'finishedAt'] from realtime.messages
    where topic = 'messenger:ann' order by n desc limit 1),
  '{"kind":"message","type":"Live","status":"handled","cancelling":false,"reason":null,
    "attempt":1,"availableAt":null,"progress":null}',
  'in the form that a question for its state is answered in'
);
select is(
  (select count(*) from realtime.messages where payload ->> 'type' in ('Quiet', 'Backend')),
  0::bigint, 'nothing of types that are not live'
);
select is_empty(
  $$select payload from realtime.messages
    where payload ? 'payload' or payload::text like '%secret%' or not private or event <> 'message'$$,
  'never the payload or an error, and only in private'
);

delete from realtime.messages where true;
select messenger_enqueue('[
  {"type":"Runs","stamps":{"live":true,"user":{"id":"ann"}}},
  {"type":"Waits","stamps":{"live":true,"user":{"id":"bob"}}}
]');
select test.claim(test.token(2), 1);
select messenger_cancel("all" => true);
select is(
  array(
    select (payload ->> 'status') || case when (payload -> 'cancelling')::boolean then ', to be stopped' else '' end
    from realtime.messages where topic = 'messenger:ann' order by n
  ),
  array['pending', 'processing', 'processing, to be stopped'], 'that it runs and is to be stopped'
);
select is(
  array(select payload ->> 'status' from realtime.messages where topic = 'messenger:bob' order by n),
  array['pending', 'cancelled'], 'that it waited and is cancelled, and never that it runs'
);

delete from realtime.messages where true;
select messenger_enqueue('[
  {"type":"Steps","stamps":{"live":true,"user":{"id":"ann"}}}, {"type":"Silent","stamps":{"user":{"id":"ann"}}}
]');
select test.claim(test.token(3));
select messenger_save_steps(jsonb_agg(jsonb_build_object(
  'id', test.id_of(type), 'token', test.token(3),
  'steps', '[{"handler":"h","name":"first","status":"done"},{"handler":"h","name":"second","status":"done"}]'::jsonb
)))
from unnest(array['Steps', 'Silent']) as type;
select is(
  array(select payload #> '{steps,done}' from realtime.messages where payload ->> 'type' in ('Steps', 'Silent') order by n),
  array[null, null, '["first", "second"]']::jsonb[], 'the steps that are stored together, once'
);

select set_config('request.jwt.claims', '{"sub":"ann"}', true),
  set_config('realtime.topic', 'messenger:ann', true);
set local role authenticated;
select isnt_empty('select n from realtime.messages', 'a user reads their own topic');
select set_config('realtime.topic', 'messenger:bob', true);
select is_empty('select n from realtime.messages', 'and no other');
reset role;

select * from finish();
rollback;
