-- One round trip a batch, whatever became of its messages.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(100);
create temp table leased as
  select m ->> 'id' as id, ordinality as n
  from jsonb_array_elements(test.claim(test.token(1)) -> 'messages') with ordinality as c (m);

select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'handled', (select jsonb_agg(id) from leased where n % 4 = 0),
    'released', (select jsonb_agg(id) from leased where n % 4 = 1),
    'retries', (
      select jsonb_agg(jsonb_build_object('id', id, 'delay_ms', n * 1000, 'retry_count', 1))
      from leased where n % 4 = 2
    ),
    'dead', (
      select jsonb_agg(jsonb_build_object('id', id, 'reason', 'unrecoverable'))
      from leased where n % 4 = 3
    )
  ))),
  '{"stale":[]}', 'none is stale'
);
select results_eq(
  'select attempts, count(*) from messenger_messages group by 1 order by 1',
  $$values (0, 25::bigint), (1, 25)$$,
  'a quarter was given back, a quarter waits for its retry'
);
select results_eq(
  $$select id::text from messenger_messages m where attempts = 1
    and available_at = messenger_now() + (select n from leased l where l.id = m.id::text)
      * interval '1 second'
    order by 1$$,
  'select id from leased where n % 4 = 2 order by 1',
  'each retry after its own delay'
);
select results_eq(
  'select id::text from messenger_failed_messages order by 1',
  'select id from leased where n % 4 = 3 order by 1',
  'a quarter is among the dead letters'
);

select * from finish();
rollback;
