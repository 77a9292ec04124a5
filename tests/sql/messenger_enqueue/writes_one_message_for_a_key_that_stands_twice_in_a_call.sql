-- The first of them is the message; the others are repeats of it.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create temp table call as select messenger_enqueue('[
  {"type":"first","idempotency_key":"k"},
  {"type":"other"},
  {"type":"first","idempotency_key":"k"}
]') as answer;

select is(
  array(select type from messenger_messages order by type), array['first', 'other'],
  'the first is written'
);
select is(
  (select answer -> 'ids' -> 2 from call), (select answer -> 'ids' -> 0 from call),
  'the repeat returns its id'
);
select is(
  (select answer -> 'ids' ->> 1 from call), test.id_of('other')::text,
  'the message between has its own'
);

select * from finish();
rollback;
