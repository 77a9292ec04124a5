-- The breaker: after a failure the shard rests, longer each time, and then one row tries the engine.
begin;
select plan(6);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow', to_jsonb(n), group_key => 'g') from generate_series(1, 3) as n;
create function pg_temp.fail(p_failure text) returns integer language sql as $$
  select jsonb_array_length(f.c -> 'messages') + 0 * length(messenger_finish_outbox(
    'events', (f.c ->> 'shard')::int, test.token(1), '{}', '[]', p_failure)::text)
  from (select messenger_claim_outbox('events', test.token(1)) as c) as f
$$;
select is(pg_temp.fail('connection refused'), 3, 'a whole batch met the outage');
select ok((select retry_at between messenger.clock() and messenger.clock() + interval '1 s' from messenger.relays where failures = 1), 'the first pause is a second');
select is(messenger.outbox_due(), (select retry_at from messenger.relays where failures = 1), 'nothing is due before');
update messenger.relays set retry_at = messenger.clock() where failures > 0;
select is(pg_temp.fail('connection refused'), 1, 'then one row tries it');
select results_eq(
  'select n::int, messenger.relay_pause(n) from generate_series(2, 10, 4) as n',
  $$values (2, interval '2 s'), (6, interval '32 s'), (10, interval '5 min')$$, 'the pauses double up to five minutes'
);
update messenger.relays set retry_at = messenger.clock() where failures > 0;
select messenger_finish_outbox('events', (f.c ->> 'shard')::int, test.token(1), array[(f.c #>> '{messages,0,position}')::bigint])
from (select messenger_claim_outbox('events', test.token(1)) as c) as f;
select is(jsonb_array_length(messenger_claim_outbox('events', test.token(1)) -> 'messages'), 2, 'after a success the rest goes at once');
select * from finish();
rollback;
