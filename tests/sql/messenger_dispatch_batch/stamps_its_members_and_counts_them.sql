begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

create temporary table made as
  select messenger_dispatch_batch('[{"type":"B","stamps":{"own":1}},{"type":"A","payload":{"n":2}}]', 'pair') as id;
select is((select id from made), (select id from messenger_batches), 'returns the id of the batch');
select is(
  array(select stamps - 'batch' || jsonb_build_object('nth', stamps #> '{batch,nth}') from messenger_messages order by id),
  array['{"own":1,"nth":1}', '{"nth":2}']::jsonb[], 'each member has its place, beside its own stamps'
);
select is(
  (select distinct stamps #>> '{batch,id}' from messenger_messages), (select id::text from messenger_batches),
  'and the id of its batch'
);
select is(
  (select row(name, total, chunks, types, sealed_at)::text from messenger_batches),
  row('pair'::text, 2::bigint, 1, array['A', 'B'], '2026-01-01 12:00Z'::timestamptz)::text, 'the batch counts them, and is sealed'
);
select messenger_dispatch_batch(
  (select jsonb_agg('{"type":"Many"}'::jsonb) from generate_series(1, 2001)), 'many'
);
select is(
  (select row(total, chunks)::text from messenger_batches where name = 'many'), row(2001::bigint, 3)::text,
  'a large one is written in chunks of 1,000'
);

select * from finish();
rollback;
