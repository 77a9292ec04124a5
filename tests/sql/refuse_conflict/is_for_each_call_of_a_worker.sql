-- A trigger of a project's own raises a conflict of transactions in what a worker or a tick calls.
begin;
select plan(9);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow', '1');
select test.dispatch('A');
select test.claim(test.token(1));
insert into messenger_steps (message_id, handler, name, key, nth, kind, status, until)
values (test.id_of('A'), 'handler', 'sleep', '', 1, 'sleep', 'pending', messenger_now() - interval '1 hour');
create function public.test_effect() returns void language plpgsql as $$
begin
  raise exception using errcode = 'PT' || '200', message = 'no';
end
$$;

create function public.test_conflict() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '400' || '01', message = 'the rows have changed';
end
$$;
do $do$
declare
  name text;
begin
  foreach name in array array[
    'messenger.progress', 'messenger.relays', 'messenger_steps', 'messenger_webhook_deliveries', 'messenger_ticks'
  ] loop
    execute format(
      'create trigger test_conflict before insert or update on %s for each row execute function public.test_conflict()', name
    );
  end loop;
end
$do$;
create function pg_temp.leases() returns jsonb
language sql
as $$ select jsonb_build_array(jsonb_build_object('id', test.id_of('A'), 'token', test.token(1), 'value', 0.5)) $$;

select throws_ok('select messenger_load_steps(pg_temp.leases())', '40001', null, 'a session of SQL sees the conflict');
select set_config('request.method', 'POST', true);
select throws_ok('select messenger_load_steps(pg_temp.leases())', 'PT503', null, 'reads of steps');
select throws_ok('select messenger_report_progress(pg_temp.leases())', 'PT503', null, 'progress');
select throws_ok($$select messenger_claim_outbox('events', test.token(2))$$, 'PT503', null, 'a claim of the outbox');
select throws_ok($$select messenger_record_webhook('{"endpoint": "e"}')$$, 'PT503', null, 'a delivery of a webhook');
select throws_ok('select messenger_start_tick()', 'PT503', null, 'the start of a tick');
select throws_ok($$select messenger_start_worker('w', '{*}')$$, 'PT503', null, 'the start of a worker');
select throws_ok(
  $$select messenger_effect(test.id_of('A'), test.token(1), 'null',
    '{"handler": "h", "name": "e", "key": "", "nth": 1}', 'test_effect')$$, 'PT500', 'no',
  'a status of success that a function of ctx.effect raises'
);
select throws_ok(
  $$select messenger_report_progress('5')$$, 'PT400', 'reports: has to be an array of objects', 'other errors stay'
);
select * from finish();
rollback;
