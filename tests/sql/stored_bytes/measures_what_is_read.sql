-- However it is stored.
begin;
select plan(4);

create temp table stored as
select jsonb_build_object('text', repeat('x', 1000000)) as repeats,
  (select jsonb_agg(md5(n::text)) from generate_series(1, 30000) as n) as varies,
  '{"n":1}'::jsonb as small, null::jsonb as nothing;
select cmp_ok((select pg_column_size(repeats) from stored), '<', 20000, 'it is stored compressed');
select cmp_ok(
  (select messenger.stored_bytes(repeats) from stored), '>', 1000000::bigint, 'and measured as it is read'
);
select cmp_ok((select messenger.stored_bytes(varies) from stored), '>', 960000::bigint, 'what varies');
select results_eq(
  $$select messenger.stored_bytes(small) < 50, messenger.stored_bytes(nothing) from stored$$,
  $$values (true, 0::bigint)$$, 'what is small, and nothing'
);

select * from finish();
rollback;
