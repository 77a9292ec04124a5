-- A message that comes back stands in the index again.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.heartbeated() returns text[] language sql as $$
  select array(select type from messenger_messages where heartbeated order by id)
$$;
create function pg_temp.extend(variadic types text[]) returns void language sql as $$
  select messenger_heartbeat(
    jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', test.ids(variadic types)))
  )
$$;

select test.dispatch('retried', 'released', 'snoozed', 'expired', 'short');
select test.claim(test.token(1));
select is(pg_temp.heartbeated(), '{}', 'not before the first');
select pg_temp.extend('retried', 'released', 'snoozed', 'expired');
select is(pg_temp.heartbeated(), array['retried', 'released', 'snoozed', 'expired'], 'those it names');

select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'released', test.ids('released'),
  'retries', jsonb_build_array(
    jsonb_build_object('id', test.id_of('retried')::text, 'delay_ms', 0, 'retry_count', 1)
  ),
  'snoozed', jsonb_build_array(
    jsonb_build_object('id', test.id_of('snoozed')::text, 'delay_ms', 0)
  )
)));
select is(pg_temp.heartbeated(), array['expired'], 'what comes again is not in it');
select set_eq(
  'select unnest(test.types(test.claim(test.token(2)) -> ''messages''))',
  array['retried', 'released', 'snoozed'], 'and is claimed'
);

-- As heartbeats have left them, and vacuum.
insert into messenger_messages (type, status, heartbeated, lease_token, leased_until, available_at)
select 'Bulk', 'processing', true, test.token(3), '2026-01-01 13:00Z', '2026-01-01 11:00Z'
from generate_series(1, 5000);
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(4))$$), '<', 100::bigint,
  'a claim reads nothing of what runs for long'
);

select * from finish();
rollback;
