-- A trigger of a project's own raises a passing fault, or the database does.
begin;
select plan(6);
select messenger_enqueue('[{"type": "A"}]');
create temporary table claimed as select messenger_claim(gen_random_uuid()) as claim;
create function public.test_settle() returns jsonb language sql as $$
  select messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', claim ->> 'token', 'handled', jsonb_build_array(claim #>> '{messages,0,0}')
  ))) from claimed
$$;
create function public.test_heartbeat() returns jsonb language sql as $$
  select messenger_heartbeat(jsonb_build_array(jsonb_build_object(
    'token', claim ->> 'token', 'ids', jsonb_build_array(claim #>> '{messages,0,0}')
  ))) from claimed
$$;
create function public.test_fault() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '08006', message = 'the archive is away';
end
$$;
create trigger test_fault before update or delete on messenger_messages for each row execute function public.test_fault();

select throws_ok('select test_settle()', '08006', 'the archive is away', 'a session of SQL sees the fault in a settle call');
select throws_ok('select test_heartbeat()', '08006', 'the archive is away', 'and in a heartbeat');
select set_config('request.method', 'POST', true);
select throws_ok('select test_settle()', 'PT503', 'the archive is away', 'a worker is told that it may be one row''s');
select throws_ok('select test_heartbeat()', 'PT503', 'the archive is away', 'also in a heartbeat');

drop trigger test_fault on messenger_messages;
create function messenger.test_fault() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '53200', message = 'out of memory';
end
$$;
create trigger test_fault before update or delete on messenger_messages for each row execute function messenger.test_fault();
select throws_ok('select test_settle()', '53200', 'out of memory', 'a fault of the database stays one');

drop trigger test_fault on messenger_messages;
create or replace function public.test_fault() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '40P01', message = 'deadlock detected', detail = 'Process 7 waits';
end
$$;
create trigger test_fault before update or delete on messenger_messages for each row execute function public.test_fault();
select throws_ok('select test_settle()', '40P01', 'deadlock detected', 'and so does a deadlock that Postgres has found');
select * from finish();
rollback;
