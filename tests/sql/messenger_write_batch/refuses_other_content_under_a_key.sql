begin;
select plan(11);
create function pg_temp.write(chunk integer, is_last boolean, messages jsonb, name text default 'n', key text default 'k')
returns jsonb
language sql as $$
  select messenger_write_batch(
    jsonb_strip_nulls(jsonb_build_object('name', name, 'idempotency_key', key)), messages, chunk, is_last
  )
$$;
create function pg_temp.refuses(statement text, label text) returns text language sql as $$
  select throws_ok(statement, 'PT409', 'idempotency_key: stands for a batch with other content, which is not sealed '
    'or was sealed within 24 hours; repeat that one unchanged, or give another key', label)
$$;

select pg_temp.write(1, false, '[{"type":"A"}]');
select pg_temp.refuses($$select pg_temp.write(1, false, '[{"type":"B"}]')$$, 'other messages in a chunk');
select pg_temp.refuses($$select pg_temp.write(1, false, '[{"type":"A"}]', 'other')$$, 'another name');
select throws_like(
  $$select pg_temp.write(3, true, '[{"type":"A"}]')$$, 'chunk: has to be at most 2 (was 3)%', 'a chunk that is left out'
);
select pg_temp.write(2, false, '[{"type":"B"}]');
select pg_temp.refuses($$select pg_temp.write(1, true, '[{"type":"A"}]')$$, 'an end before a chunk that is there');
select is((select sealed_at from messenger_batches), null, 'which seals nothing');
select pg_temp.write(2, true, '[{"type":"B"}]');
select pg_temp.refuses($$select pg_temp.write(3, true, '[{"type":"C"}]')$$, 'a chunk after the last');
select pg_temp.refuses($$select pg_temp.write(1, true, '[{"type":"A"}]')$$, 'an earlier end');
select throws_ok(
  $$select pg_temp.write(2, true, '[{"type":"A"}]', key => null)$$, 'PT400',
  'idempotency_key: is required for a batch of several chunks', 'a further chunk without a key'
);
select throws_ok(
  $$select pg_temp.write(1, true, (select jsonb_agg('{"type":"A"}'::jsonb) from generate_series(1, 1001)), key => 'l')$$,
  'PT400', 'messages: has to be an array of at most 1000 messages', 'a chunk that is too long'
);
select throws_like(
  $$select messenger_write_batch('{"name":"n","total":5}')$$, 'total: is not known%', 'a field that is not known'
);
select is((select count(*) from messenger_messages), 2::bigint, 'nothing of it was written');

select * from finish();
rollback;
