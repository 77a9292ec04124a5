-- A trigger of the project's own that refuses the dead letter of an expired row keeps back no other row of its shard.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
create temp table sent as
select messenger_dispatch('ImportRow', to_jsonb(n), ttl => case when n <= 2 then interval '1 minute' end) as id, n
from generate_series(1, 4) as n;
update messenger.outbox set shard = 0 where true;
create function pg_temp.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'no' using errcode = '55P03';
end
$$;
create constraint trigger refuse after insert on messenger_failed_messages deferrable initially deferred
  for each row when (new.payload = '1') execute function pg_temp.refuse();

select test.set_clock('2026-01-01 12:02Z');
create temp table first as select messenger_claim_outbox('events', test.token(1)) as answer;
select is(
  (select jsonb_path_query_array(answer, '$.messages[*].payload') from first), '[3, 4]', 'the relay gets the others'
);
select results_eq(
  'select payload, reason from messenger_failed_messages', $$values ('2'::jsonb, 'expired')$$,
  'the other expired one is a dead letter'
);
select results_eq(
  $$select refusals, refusal, date_trunc('second', available_at) from messenger.outbox where payload = '1'$$,
  $$values (1, 'the message could not be a dead letter: no', timestamptz '2026-01-01 12:02:01Z')$$,
  'the refused one waits, and tells why'
);
select messenger_finish_outbox('events', 0, test.token(1), array(
  select (m.value ->> 'position')::bigint from first, jsonb_array_elements(answer -> 'messages') as m
));
select test.set_clock('2026-01-01 12:03Z');
select lives_ok($$select messenger_claim_outbox('events', test.token(2))$$, 'it is tried again');
select is(
  (select date_trunc('second', available_at) from messenger.outbox where payload = '1'), timestamptz '2026-01-01 12:03:02Z',
  'each time after twice as long'
);
select * from finish();
rollback;
