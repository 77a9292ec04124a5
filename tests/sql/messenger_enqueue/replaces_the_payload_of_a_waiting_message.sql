-- Of each key, also where one stands twice in a call, and beside messages whose key changes nothing.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

create temp table first as select messenger_enqueue('[
  {"type":"A","payload":1,"dedupe_key":"a","dedupe":"replace","delay_ms":60000},
  {"type":"A","payload":1,"dedupe_key":"b"}
]') -> 'ids' as ids;
select test.set_clock('2026-01-01 12:00:30Z');
select is(
  messenger_enqueue('[
    {"type":"A","payload":2,"dedupe_key":"b"},
    {"type":"A","payload":2,"dedupe_key":"a","dedupe":"replace","priority":9},
    {"type":"A","dedupe_key":"a","dedupe":"replace","delay_ms":1000}
  ]') -> 'ids',
  (select jsonb_build_array(ids -> 1, ids -> 0, ids -> 0) from first),
  'each gets the id of the waiting message'
);
select results_eq(
  'select payload, priority, available_at from messenger_messages order by id',
  $$values ('{}'::jsonb, 0::smallint, '2026-01-01 12:01Z'::timestamptz), ('1', 0::smallint, '2026-01-01 12:00Z')$$,
  'the payload is the latest, all else is as it was'
);
create temp table twice as select messenger_enqueue('[
  {"type":"C","payload":1,"dedupe_key":"c","dedupe":"replace"},
  {"type":"C","payload":2,"dedupe_key":"c","dedupe":"replace"}
]') -> 'ids' as ids;
select is(ids -> 0, ids -> 1, 'a key twice in a call is one message') from twice;
select is(
  (select payload from messenger_messages where type = 'C'), '2', 'which has the later payload'
);

select * from finish();
rollback;
