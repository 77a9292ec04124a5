begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

savepoint before;
select messenger_emit('approved:42', '{"ok":true}');
rollback to before;
select is_empty('select from messenger_events', 'an event that is rolled back was never there');

create temp table given as select messenger_emit('approved:42', '{"ok":true}') as id;
select is(
  (select id from given), (select id::text from messenger_events where event = 'approved:42'),
  'it returns the id of the event'
);
select is(
  (select value from messenger_events where event = 'approved:42'), '{"ok":true}', 'the value is kept'
);
select is(
  (select xid from messenger_events where event = 'approved:42'), pg_current_xact_id(),
  'and the transaction, for waits that have not seen it'
);
select cmp_ok(
  (select created_at from messenger_events where event = 'approved:42'), '>=', '2026-01-01 12:00Z'::timestamptz,
  'and when it was emitted'
);
select messenger_emit('nothing');
select is((select value from messenger_events where event = 'nothing'), null, 'an event needs no value');
select is(
  (select array_agg(event order by id) from messenger_events), array['approved:42', 'nothing'],
  'events have ids in their order'
);

select * from finish();
rollback;
