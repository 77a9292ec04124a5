-- Asked by the first claim of a process, in the call that it makes anyway.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.changed(fingerprint text) returns boolean language sql as $$
  select (messenger_claim_schedules(test.token(1), fingerprint => changed.fingerprint)
    -> 'declarations_changed')::boolean
$$;
select is(pg_temp.changed('one'), true, 'never synced');
select messenger_sync_schedules('[]', 'one');
select is(pg_temp.changed('one'), false, 'synced');
select is(pg_temp.changed(null), false, 'not asked');

select * from finish();
rollback;
