-- From the report of its worker until it is stored, under the lease of that worker only.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
create temp table one as select test.id_of('A') as id;
create function pg_temp.report(worker integer, more jsonb) returns void
language sql
as $$
  select messenger_report_progress(jsonb_build_array(
    jsonb_build_object('id', id::text, 'token', test.token(worker)) || more
  )) from one
$$;
create function pg_temp.step(name text) returns jsonb
language sql
as $$
  select jsonb_build_object('step', jsonb_build_object(
    'handler', 'h', 'name', name, 'key', '', 'nth', 1, 'kind', 'step', 'ran_ms', 1500
  ))
$$;
create function pg_temp.steps() returns jsonb
language sql
as $$ select messenger_follow(id) -> 'steps' from one $$;

select pg_temp.report(2, pg_temp.step('strange'));
select is(pg_temp.steps(), null, 'a report of another worker is left out');

select pg_temp.report(1, '{"value": 0.5, "note": "half"}');
select pg_temp.report(1, pg_temp.step('charge'));
select is(
  pg_temp.steps(), '{"current":{"name":"charge","kind":"step","until":null},"done":[],"number":0}',
  'the first step, while it runs'
);
select is(
  messenger_follow(id) -> 'progress', '{"value":0.5,"note":"half","at":"2026-01-01T12:00:00+00:00"}',
  'the progress stays as it was reported'
) from one;
select is(
  messenger_show_message(id) #> '{steps,0}', '{
    "handler":"h", "name":"charge", "key":"", "nth":1, "kind":"step", "status":"running", "until":null,
    "created_at":"2026-01-01T11:59:58.5+00:00", "error":null, "waits_for":null, "result_bytes":0
  }', 'operators see when it began'
) from one;

select messenger_save_steps(jsonb_build_array(jsonb_build_object('id', id, 'token', test.token(1), 'steps', jsonb_build_array(
  jsonb_build_object('handler', 'h', 'name', 'charge', 'status', 'done', 'result', 1)
)))) from one;
select is(pg_temp.steps(), '{"current":null,"done":["charge"],"number":1}', 'once it is stored, it is finished');
select pg_temp.report(1, pg_temp.step('ship'));
select is(pg_temp.steps() #>> '{current,name}', 'ship', 'the next one takes its place');
select pg_temp.report(1, '{"value": 0.75}');
select is(pg_temp.steps() #>> '{current,name}', 'ship', 'a report of progress leaves it');

select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'released', jsonb_build_array(id::text))))
from one;
select is(pg_temp.steps() -> 'current', 'null', 'it runs no longer when the worker gives the message back');
select test.claim(test.token(2));
select is(pg_temp.steps() -> 'current', 'null', 'nor under the lease of another worker, before that one tells it');

select * from finish();
rollback;
