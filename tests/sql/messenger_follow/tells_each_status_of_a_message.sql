-- From the dispatch to the end, in the words that a frontend gets.
begin;
select plan(13);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.settle(outcome text, given jsonb) returns void
language sql
as $$
  select messenger_settle(jsonb_build_array(
    jsonb_build_object('token', test.token(1), outcome, given)
  ))
$$;
create function pg_temp.status(of bigint) returns jsonb
language sql
as $$ select messenger_follow(of) -> 'status' $$;

select test.dispatch('A');
select is(
  messenger_follow(test.id_of('A')),
  jsonb_build_object(
    'kind', 'message', 'id', test.id_of('A')::text, 'type', 'A', 'status', 'pending',
    'cancelling', false, 'reason', null, 'attempt', 0,
    'createdAt', messenger_now(), 'availableAt', messenger_now(), 'finishedAt', null,
    'progress', null
  ),
  'all there is to know'
);
select test.claim(test.token(1));
select is(pg_temp.status(test.id_of('A')), '"processing"', 'claimed');
select pg_temp.settle('released', test.ids('A'));
select is(pg_temp.status(test.id_of('A')), '"pending"', 'given back unstarted');
select test.claim(test.token(1));
select pg_temp.settle('retries', jsonb_build_array(jsonb_build_object(
  'id', test.id_of('A'), 'delay_ms', 0, 'retry_count', 1,
  'errors', '[{"message":"a secret"}]'::jsonb
)));
select is(pg_temp.status(test.id_of('A')), '"retrying"', 'failed once');
select test.claim(test.token(1));
select messenger_report_progress(jsonb_build_array(jsonb_build_object(
  'id', test.id_of('A'), 'token', test.token(1), 'value', 0.5, 'note', 'half'
)));
select is(
  messenger_follow(test.id_of('A')) -> 'progress',
  jsonb_build_object('value', 0.5, 'note', 'half', 'at', messenger_now()), 'its progress'
);
select pg_temp.settle('dead', jsonb_build_array(jsonb_build_object(
  'id', test.id_of('A'), 'reason', 'exhausted', 'errors', '[{"message":"a secret"}]'::jsonb
)));
select is(
  messenger_follow(test.id_of('A')) - array['id', 'progress', 'createdAt', 'availableAt'],
  jsonb_build_object(
    'kind', 'message', 'type', 'A', 'status', 'failed', 'cancelling', false,
    'reason', 'exhausted', 'attempt', 2,
    'finishedAt', messenger_now()
  ),
  'given up, with the reason and not the error'
);
select messenger_redrive(type => 'A');
select is(pg_temp.status(test.id_of('A')), '"pending"', 'redriven');
select messenger_cancel(type => 'A');
select is(pg_temp.status(test.id_of('A')), '"cancelled"', 'cancelled');

select test.dispatch('C');
select test.claim(test.token(1));
select messenger_cancel(type => 'C');
select is(
  messenger_follow(test.id_of('C')) -> 'cancelling', 'true', 'its worker is to stop it'
);
select is(pg_temp.status(test.id_of('C')), '"processing"', 'and still runs it');
select pg_temp.settle('released', test.ids('C'));
select is(
  messenger_follow(test.id_of('C')) - array['kind', 'id', 'type', 'createdAt', 'availableAt', 'progress'],
  jsonb_build_object(
    'status', 'cancelled', 'cancelling', false, 'reason', 'cancelled', 'attempt', 1,
    'finishedAt', messenger_now()
  ),
  'until its worker gives it back'
);

select test.dispatch('B');
select test.claim(test.token(1));
create temp table b as select test.id_of('B') as id;
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('B'),
  'kept', jsonb_build_array(jsonb_build_object('id', (select id from b), 'keep_ms', 60000))
)));
select is(
  messenger_follow((select id from b)) - array['id', 'type', 'createdAt', 'finishedAt'],
  '{"kind":"message","status":"handled","cancelling":false,"reason":null,"attempt":1,
    "availableAt":null,"progress":null}',
  'handled and kept'
);
select test.set_clock('2026-01-01 12:01Z');
select is(messenger_follow((select id from b)), null, 'not any more once its time is over');

select * from finish();
rollback;
