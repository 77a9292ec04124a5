-- The limit is counted in the transaction of the emit.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select ok(messenger_emit_limited('e:1', '1', test.limit_of(1, 1, '1 hour', type => 'event e'))::bigint > 0, 'the first one is emitted');
select throws_ok(
  $$select messenger_emit_limited('e:2', '2', test.limit_of(1, 1, '1 hour', type => 'event e'))$$,
  'PT429', 'event: too many emits of e', 'the second is refused, for the keys of an event count together'
);
select results_eq('select event, value from messenger_events', $$values ('e:1', '1'::jsonb)$$, 'it was never there');
select throws_ok(
  $$select messenger_emit_limited('', '2', '[]')$$, 'PT400', null, 'and a wrong event is refused as elsewhere'
);

select * from finish();
rollback;
