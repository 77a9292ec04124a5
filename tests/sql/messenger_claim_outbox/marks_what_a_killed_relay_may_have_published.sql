-- A relay that is killed between its publishing and its report leaves a batch behind. It comes again, marked.
begin;
select plan(5);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow', to_jsonb(n), group_key => 'g') from generate_series(1, 3) as n;
create temp table claim as select messenger_claim_outbox('events', test.token(1), max_messages => 2) as c;
update messenger.relays set leased_until = clock_timestamp() - interval '1 second' where token is not null;
create temp table again as select messenger_claim_outbox('events', test.token(2)) as c;
select is((select jsonb_path_query_array(c, '$.messages[*].payload') from again), '[1, 2, 3]', 'another relay gets the batch again');
select is(
  (select jsonb_path_query_array(c, '$.messages[*] ? (@.repeated == true).payload') from again), '[1, 2]',
  'what may be in the engine already is marked as repeated'
);
select is(
  (select messenger_finish_outbox('events', (c ->> 'shard')::int, test.token(1),
    array(select (m ->> 'position')::bigint from jsonb_array_elements(c -> 'messages') as m)) from claim),
  '{"stale": true}', 'the report of the one that was thought dead is refused'
);
select is((select count(*)::int from messenger.outbox where sent_at is not null), 0, 'and writes nothing');
update messenger.relays set leased_until = 'infinity' where token is not null;
select is(
  (select jsonb_path_query_array(c, '$.messages[*].payload') from messenger_claim_outbox('events', test.token(3)) as c),
  '[1, 2, 3]', 'a lease that would never end holds no shard'
);
select * from finish();
rollback;
