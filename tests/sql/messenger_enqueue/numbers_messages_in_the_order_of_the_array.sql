-- A claim breaks ties by id, so the ids have to rise along the array, with and without keys.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue((
  select jsonb_agg(jsonb_build_object('type', 'n' || to_char(n, 'FM0000')) order by n)
  from generate_series(1, 1000) as n
));
select results_eq(
  'select type from messenger_messages order by id',
  'select type from messenger_messages order by type',
  'without idempotency keys'
);
delete from messenger_messages where true;

select messenger_enqueue((
  select jsonb_agg(
    jsonb_build_object('type', 'n' || to_char(n, 'FM0000'), 'idempotency_key', md5(n::text))
    order by n
  )
  from generate_series(1, 1000) as n
));
select results_eq(
  'select type from messenger_messages order by id',
  'select type from messenger_messages order by type',
  'with idempotency keys'
);
delete from messenger_messages where true;

select messenger_enqueue((
  select jsonb_agg(
    jsonb_build_object(
      'type', 'n' || to_char(n, 'FM0000'),
      'idempotency_key', case when n % 2 = 0 then 'mixed ' || md5(n::text) end
    )
    order by n
  )
  from generate_series(1, 1000) as n
));
select results_eq(
  'select type from messenger_messages order by id',
  'select type from messenger_messages order by type',
  'with a key on every second message'
);

select * from finish();
rollback;
