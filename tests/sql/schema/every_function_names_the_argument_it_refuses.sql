-- Calls each function of public, as the catalog lists them, with wrong values for one argument after the other: null,
-- numbers out of all ranges, JSON of another kind; and for JSON of which there is a sample below, wrong values in each
-- of its fields. A function that is added later takes part without a line here.
begin;
select plan(4);

create function pg_temp.values_of(kind text) returns setof text language sql as $$
  select unnest(case kind
    when 'jsonb' then array[null, 'null', '1', '"x"', 'true', '{}', '[]', '[{}]', '[null]', '[1]', '{"a": 1}', '{"id": "x"}',
      '[{"id": "x"}]', '[{"token": "x"}]', '[{},{}]', repeat('[', 300) || repeat(']', 300)]
    when 'text' then array[null, '', ' ', '*', 'a b', e'\n', repeat('x', 300), repeat(md5('x'), 500)]
    when 'bigint' then array[null, '0', '-1', '9223372036854775807', '-9223372036854775808']
    when 'integer' then array[null, '0', '-1', '2147483647', '-2147483648']
    when 'interval' then array[null, '0', '-1 day', '170000000 years', '-170000000 years']
    when 'timestamp with time zone' then array[null, 'infinity', '-infinity', '294276-01-01', '4713-01-02 BC']
    when 'boolean' then array[null, 'true', 'false']
    when 'uuid' then array[null, '00000000-0000-0000-0000-000000000000']
    when 'text[]' then array[null, '{}', '{null}', '{""}', '{x,x}', '{a b}']
    when 'bigint[]' then array[null, '{}', '{null}', '{0}', '{1,1}', '{9223372036854775807}']
    else array[null, '0', '-1', 'NaN', 'Infinity', '-Infinity', '1e300']
  end)
$$;

-- Arguments that a call needs to come as far as it can; of one function, or of all.
create temporary table samples (function text, argument text, value text);
insert into samples values
  (null, 'token', '00000000-0000-0000-0000-000000000001'), (null, 'transport', 'events'), (null, 'user_id', 'ann'),
  (null, 'actor', 'ada'), (null, 'type', 'A'), (null, 'name', 'known'), (null, 'id', '1'), (null, 'tick', '1'),
  (null, 'queue', 'default'), (null, 'limits', '[]'), (null, 'event', 'paid'), (null, 'endpoint', 'known'),
  (null, 'queues', '{mail}'), (null, 'ids', '{1,2}'), (null, 'settings', '{}'), (null, 'report', '{"handled": 1}'),
  (null, 'wait_ms', '0'), (null, 'rule', 'oldest_ready'), (null, 'shard', '0'), (null, 'number', '3'),
  (null, 'since', '2026-01-01'), (null, 'until', '2030-01-01'), (null, 'every', '1 minute'), (null, 'at', '2099-01-01'),
  (null, 'expires_at', '2099-01-01'), (null, 'token_id', 'abc'), (null, 'worker', 'w'), (null, 'names', '{known}'),
  (null, 'fingerprint', 'f'), (null, 'function', 'f'), (null, 'version', '"v"'), (null, 'value', '1'),
  (null, 'messages', '[{"type": "A", "payload": {"n": 1}, "queue": "default", "priority": 1, "delay_ms": 1, "ttl_ms": 1000,
    "group_key": "g", "stamps": {"a": 1}}]'),
  ('messenger_act', 'operation', 'messenger_run'), ('messenger_act', 'args', '{"ids": [1], "dry_run": true}'),
  (null, 'advances', '[{"id": 1, "next_run_at": "2026-01-02T12:00:00Z", "failing": false, "put_off_ms": 1, "priority": 1,
    "occurrences": [{"occurrence": "2026-01-01T12:00:00.000Z", "delay_ms": 1, "message": {"type": "A"}}]}]'),
  (null, 'last_keys', '{"default": [0, "2026-01-01", 1]}'),
  ('messenger_set_queue', 'name', 'default'),
  ('messenger_set_queue', 'settings', '{"paused": true, "concurrency": 1, "rate_limit": 1, "lease_ms": 10000, "weight": 1}'),
  ('messenger_create_webhook_endpoint', 'name', 'other'),
  ('messenger_create_webhook_endpoint', 'settings', '{"url": "https://a.example", "events": ["a"], "rate_limit": 1}'),
  ('messenger_set_webhook_endpoint', 'settings', '{"url": "https://a.example", "events": ["a"], "rate_period_ms": 1000,
    "disable_after_ms": 100000, "disabled": false}'),
  ('messenger_set_alert', 'settings', '{"threshold": 1000, "enabled": true, "cooldown_ms": 60000, "queue": "default"}'),
  ('messenger_set_alert_channel', 'settings', '{"kind": "message", "message_type": "Note"}'),
  (null, 'transports', '{"eu": false}'), (null, 'routes', '{"Audit*": "eu", "Sent": null}'),
  (null, 'step', '{"handler": "h", "name": "book", "key": "k", "nth": 1}'),
  ('messenger_enqueue_body', '$1', '{"type": "A", "payloads": [{"n": 1}]}'),
  ('messenger_heartbeat', 'leases', '[{"token": "00000000-0000-0000-0000-000000000001", "ids": ["1"]}]'),
  ('messenger_load_steps', 'leases', '[{"id": 1, "token": "00000000-0000-0000-0000-000000000001"}]'),
  (null, 'refused', '[{"position": 1, "error": "no"}]'),
  (null, 'deliveries', '[{"origin": "00000000-0000-0000-0000-000000000002", "source_id": 1, "publication": 1, "counted": true}]'),
  (null, 'handled', '[{"id": "1", "origin": "00000000-0000-0000-0000-000000000002", "source_id": "1", "publication": 1}]'),
  (null, 'adopted', '[{"id": "77", "origin": "00000000-0000-0000-0000-000000000002", "source_id": "77", "publication": 1,
    "token": "00000000-0000-0000-0000-000000000001", "type": "I", "payload": 1, "queue": "default", "priority": 0,
    "created_at": "2026-01-01", "retry_count": 0, "attempts": 1, "snoozes": 0, "interruptions": 0, "stamps": {}}]'),
  ('messenger_settle', 'settlements', '[{"token": "00000000-0000-0000-0000-000000000001", "grouped": true, "groups": [["default", "g"]],
    "handled": ["1"], "kept": [{"id": "1", "keep_ms": 1000, "result": 1}], "progressed": ["1"], "released": ["2"],
    "snoozed": [{"id": "3", "delay_ms": 10, "stamps": {}}], "durable": ["1"],
    "retries": [{"id": "4", "delay_ms": 10, "retry_count": 1, "quarantined": false, "errors": [{"message": "x"}]}],
    "dead": [{"id": "5", "reason": "exhausted", "errors": [{"message": "x"}]}], "parked": [{"id": "6", "delay_ms": 10}]}]'),
  (null, 'reads', '[{"id": "1", "token": "00000000-0000-0000-0000-000000000001", "keys": ["paid"], "since": "2026-01-01"}]'),
  (null, 'points', '[{"at": "2026-01-01T12:00:00Z", "queue": "default", "type": "B", "handled": 1, "latency": [1], "runs": [1]}]'),
  (null, 'delivery', '{"endpoint": "known", "event_id": 1, "event": "x", "message_id": 2, "attempt": 1, "delivered": true,
    "status": 200, "duration_ms": 3, "answer": "y", "error": null}'),
  (null, 'reports', '[{"id": "1", "token": "00000000-0000-0000-0000-000000000001", "value": 0.5, "note": "n"}]'),
  ('messenger_save_schedules', 'schedules', '[{"name": "s", "message_type": "A", "schedule_type": "cron", "cron": "@daily",
    "timezone": "UTC", "max_runs": 3, "start_at": "2027-01-01T00:00Z", "catch_up": "all", "catch_up_limit": 3, "overlap": "allow",
    "while_paused": "skip", "jitter_ms": 10, "queue": "default", "priority": 1, "ttl_ms": 1000, "assumed": {}}]'),
  (null, 'schedules', '[{"name": "s", "message_type": "A", "schedule_type": "interval", "interval_ms": 60000}]'),
  (null, 'saves', '[{"id": "1", "token": "00000000-0000-0000-0000-000000000001", "steps": [{"handler": "h", "name": "a",
    "nth": 1, "kind": "step", "status": "done", "result": 1}]}]'),
  (null, 'batch', '{"name": "b", "idempotency_key": "k", "on_finished": {"type": "F"}}'),
  (null, 'payload', '{"n": 1}');

create function pg_temp.sample_of(function_name text, argument_name text) returns text language sql as $$
  select s.value from samples s
  where (s.function = function_name or s.function is null) and s.argument = argument_name
  order by s.function nulls last limit 1
$$;

-- The sample with wrong values in each place, one at a time.
create function pg_temp.mutations(sample jsonb) returns setof text language sql as $$
  with recursive parts (path, value) as (
    select array[]::text[], sample
    union all
    select p.path || child.key, child.value from parts p cross join lateral (
      select e.key, e.value from jsonb_each(case jsonb_typeof(p.value) when 'object' then p.value end) as e
      union all
      select (a.place - 1)::text, a.value
      from jsonb_array_elements(case jsonb_typeof(p.value) when 'array' then p.value end) with ordinality as a (value, place)
    ) as child
  )
  select jsonb_set(sample, p.path, w::jsonb)::text
  from parts p cross join unnest(array['null', '-1', '1e30', '"x"', '"1e999"', 'true', '{}', '[{}]']) as w
  where p.path <> '{}'
  union all
  select (sample #- p.path)::text from parts p where p.path <> '{}'
$$;

-- Makes one call, takes it back, and returns the error.
create function pg_temp.error_of(statement text, out code text, out message text) language plpgsql as $$
begin
  execute statement;
  set constraints all immediate;
  raise sqlstate 'UNDO0';
exception
  when sqlstate 'UNDO0' then null;
  when others then
    code := sqlstate;
    message := sqlerrm;
end
$$;

create temporary view arguments as
  select f.proname::text as function, a.place, format_type(f.proargtypes[a.place - 1], null) as type,
    coalesce(f.proargnames[a.place], '$1') as argument, a.place <= f.pronargs - f.pronargdefaults as is_required,
    f.proargnames is not null as is_named
  from test.functions f cross join lateral generate_series(1, f.pronargs) as a (place)
  where f.pronamespace = 'public'::regnamespace and f.prokind = 'f' and f.prorettype <> 'trigger'::regtype;

create function pg_temp.call_of(function_name text, argument_name text, value text) returns text language sql as $$
  select format('select public.%I(%s)', function_name, string_agg(
    case when a.is_named then quote_ident(a.argument) || ' => ' else '' end || format(
      '%L::%s',
      case a.argument when argument_name then value else pg_temp.sample_of(function_name, a.argument) end, a.type
    ), ', ' order by a.place
  ))
  from arguments a where a.function = function_name and (a.is_required or a.argument = argument_name)
$$;

select test.set_clock('2026-01-01 12:00Z');
insert into messenger_queues (name) values ('known');
select test.dispatch_to_group('g', 'A', 'A'), test.dispatch('A', 'A', 'A', 'A', 'A', 'A', 'A', 'A');
update messenger_messages m set id = ordered.place from (
  select o.id, row_number() over (order by o.id) - 1000 as place from messenger_messages o
) as ordered where ordered.id = m.id;
update messenger_messages set id = id + 1000 where true;
select messenger_claim('00000000-0000-0000-0000-000000000001', 6, 3600000);
select messenger_emit('paid', '1');
select messenger_create_webhook_endpoint('known', '{"url": "https://a.example"}');
select messenger_set_alert_channel('known', '{"kind": "message", "message_type": "Note"}');
select messenger_create_alert('known', 'oldest_ready');
insert into messenger.transports (name, received) values ('events', true);
insert into messenger_schedules (id, name, message_type, schedule_type, interval_ms, lease_token)
values (1, 'known', 'A', 'interval', 60000, '00000000-0000-0000-0000-000000000001');
insert into messenger_ticks (id, asked_at, started_at, heartbeat_at) overriding system value values (1, now(), now(), now())
on conflict do nothing;

create temporary table calls as
  select a.function, a.argument, v.value, pg_temp.call_of(a.function, a.argument, v.value) as statement
  from arguments a cross join lateral (
    select pg_temp.values_of(a.type)
    union
    select m from pg_temp.mutations((
      select s.value::jsonb from samples s
      where s.argument = a.argument and a.type = 'jsonb' and (s.function = a.function or s.function is null)
      order by s.function nulls last limit 1
    )) as m
  ) as v (value)
  where a.function <> 'messenger_setup';
create temporary table refusals as
  select c.*, e.code, e.message from calls c cross join lateral pg_temp.error_of(c.statement) as e where e.code is not null;

select is_empty(
  $$select r.function, r.argument, left(r.value, 300), r.code, left(r.message, 100) from refusals r
    where r.code !~ '^PT4' and not (r.code = '23514' and r.message ~ '"\w+: .*"$')
    order by 1, 2 limit 50$$,
  'no function fails with an error of Postgres, unless a check of that name says what is wrong'
);
select is_empty(
  $$select r.function, r.argument, left(r.value, 100), left(r.message, 100) from refusals r
    where r.code ~ '^PT4' and r.message !~ '^[\w$.*, ]+: .+' order by 1, 2 limit 50$$,
  'each refusal begins with the name of the field'
);
select cmp_ok((select count(*) from refusals), '>', 1000::bigint, 'most wrong values are refused');
select is_empty(
  $$select s.function, s.argument, e.code, e.message from samples s
    cross join lateral pg_temp.error_of(pg_temp.call_of(s.function, s.argument, s.value)) as e
    where s.function is not null and e.code is not null order by 1, 2$$,
  'the samples are right'
);

select * from finish();
rollback;
