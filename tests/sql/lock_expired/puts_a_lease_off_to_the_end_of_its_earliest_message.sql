-- Heartbeats write to messages alone; a sweep finds out that they are alive.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.extend(type text, token uuid default test.token(1)) returns void
language sql as $$
  select messenger_heartbeat(
    jsonb_build_array(jsonb_build_object('token', token, 'ids', test.ids(type)))
  )
$$;
create function pg_temp.lease() returns text[] language sql as $$
  select array[to_char(l.leased_until, 'HH24:MI:SS'), l.open::text] || array(
    select m.type from unnest(l.ids) as i (id) join messenger_messages m using (id) order by 1
  ) from messenger.leases l
$$;

select test.dispatch('A', 'B', 'C', 'D');
select test.claim(test.token(1));
select test.set_clock('2026-01-01 12:00:30Z');
select pg_temp.extend('A');
select test.set_clock('2026-01-01 12:00:50Z');
select pg_temp.extend('B');
delete from messenger_messages where type = 'C';
select is(
  pg_temp.lease(), array['12:01:00', '4', 'A', 'B', 'D'], 'the lease is as the claim has left it'
);

select test.set_clock('2026-01-01 12:01Z');
select is(test.types_at(messenger.lock_expired(array['default'])), array['D'], 'what expired is found');
select is(
  pg_temp.lease(), array['12:01:30', '2', 'A', 'B'], 'the lease ends with the first of the others'
);
select test.set_clock('2026-01-01 12:01:30Z');
select is(test.types_at(messenger.lock_expired(array['default'])), array['A'], 'which is found then');
select is(pg_temp.lease(), array['12:01:50', '1', 'B'], 'and again');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('B')
)));
select is_empty('select * from messenger.leases', 'until the last is settled');

select * from finish();
rollback;
