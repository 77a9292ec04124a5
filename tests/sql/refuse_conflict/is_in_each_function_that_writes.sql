-- PostgREST repeats a call whose SQLSTATE tells of a conflict without end, whichever function it is of.
begin;
select plan(20);

select is_empty(
  $$
    select p.proname from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%' and p.prokind = 'f'
      and p.provolatile = 'v' and p.prorettype <> 'trigger'::regtype and p.prosrc !~ 'messenger.refuse_conflict'
      and p.proname <> all (array[
        -- Both have their parts guarded.
        'messenger_dispatch', 'messenger_enqueue', 'messenger_settle_and_claim',
        -- These write no table that may have a trigger of a project's own.
        'messenger_enable_live', 'messenger_health', 'messenger_reserve_ids', 'messenger_transports',
        'messenger_show_alert_delivery'
      ])
  $$,
  'each function that writes has the guard'
);

select test.dead_letter('Dead');
select messenger_dispatch('Late', delay => '1 hour');
select messenger_save_schedules(
  '[{"message_type": "A", "payload": {}, "schedule_type": "interval", "interval_ms": 60000, "name": "s", "next_run_at": "2030-01-01"}]'
);
insert into messenger_ticks (started_at) values (now());

create function public.test_conflict() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '400' || '01', message = 'the rows have changed';
end
$$;
create function pg_temp.add_triggers(p_kind text, p_when text) returns void language plpgsql as $$
declare
  name text;
begin
  foreach name in array array[
    'messenger_messages', 'messenger_failed_messages', 'messenger_schedules', 'messenger_ticks', 'messenger_queues'
  ] loop
    execute format('drop trigger if exists test_conflict on %I', name);
    execute format(
      'create %s trigger test_conflict %s on %I %s for each row execute function public.test_conflict()',
      p_kind, p_when, name, case when p_kind = 'constraint' then 'deferrable initially deferred' else '' end
    );
  end loop;
end
$$;
create function pg_temp.call(p_call text) returns void language plpgsql as $$
begin
  perform set_config('request.method', 'POST', true);
  perform set_config('request.path', '/rpc/' || substring(p_call from '^[a-z_]+'), true);
  execute 'select ' || p_call;
end
$$;
create function pg_temp.calls() returns setof text language sql as $$
  select c from (values
    (1, $c$messenger_dispatch('A')$c$),
    (2, $c$messenger_enqueue('[{"type": "A"}]')$c$),
    (3, $c$messenger_dispatch_batch('[{"type": "A"}]', 'b')$c$),
    (4, $c$messenger_heartbeat_tick((select max(id) from messenger_ticks))$c$),
    (5, $c$messenger_heartbeat_worker((select max(id) from messenger_ticks), '{}')$c$),
    (6, $c$messenger_redrive("all" => true)$c$),
    (7, $c$messenger_cancel(type => 'Late')$c$),
    (8, $c$messenger_pause_schedule((select max(id) from messenger_schedules))$c$),
    (9, $c$messenger_set_queue('default', '{"weight": 3}')$c$)
  ) as given (nth, c) order by nth
$$;
select pg_temp.add_triggers('', 'before insert or update or delete');
select throws_ok(
  format('select pg_temp.call(%L)', c), 'PT503', 'the database has met another transaction: the rows have changed', c
) from pg_temp.calls() as c;

select pg_temp.add_triggers('constraint', 'after insert or update or delete');
select throws_ok(
  format('select pg_temp.call(%L)', c), 'PT503', 'the database has met another transaction: the rows have changed',
  c || ', at the commit'
) from pg_temp.calls() as c;

select set_config('request.method', '', true);
select set_config('request.path', '', true);
select pg_temp.add_triggers('', 'before insert or update or delete');
select throws_ok($$select messenger_dispatch('A')$$, '40001', null, 'a session of SQL sees the conflict');
select * from finish();
rollback;
