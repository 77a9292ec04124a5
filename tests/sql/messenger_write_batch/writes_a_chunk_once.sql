-- A caller that was killed repeats the whole call under the same key.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.write(chunk integer, is_last boolean, messages jsonb, name text default 'n') returns jsonb
language sql as $$
  select messenger_write_batch(jsonb_build_object('name', name, 'idempotency_key', 'k'), messages, chunk, is_last)
$$;

select is(pg_temp.write(1, false, '[{"type":"A"},{"type":"B"}]') - 'id', '{"total":2,"sealed":false}', 'the first chunk');
select is(pg_temp.write(1, false, '[{"type":"A"},{"type":"B"}]') - 'id', '{"total":2,"sealed":false}', 'is repeated');
select is(pg_temp.write(2, true, '[{"type":"C"}]') - 'id', '{"total":3,"sealed":true}', 'the last one seals the batch');
select is(pg_temp.write(1, false, '[{"type":"A"},{"type":"B"}]') - 'id', '{"total":3,"sealed":true}', 'the whole is repeated');
select is(pg_temp.write(2, true, '[{"type":"C"}]') - 'id', '{"total":3,"sealed":true}', 'to the end');
select is((select count(*) from messenger_messages), 3::bigint, 'and each message is there once');
select is((select count(*) from messenger_batches), 1::bigint, 'in one batch');
select test.set_clock('2026-01-02 12:00Z');
select is(pg_temp.write(1, true, '[{"type":"D"}]') - 'id', '{"total":1,"sealed":true}', 'the key is free 24 hours after');

select * from finish();
rollback;
