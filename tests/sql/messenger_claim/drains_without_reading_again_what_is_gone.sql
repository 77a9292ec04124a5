-- Rows deleted by a transaction that others may still look back behind cannot be vacuumed: here by
-- the test's own. Without the last keys each claim reads all that was deleted before it.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(10000);
select cmp_ok(
  test.rows_read_by($$
    do $do$
    declare
      answer jsonb := '{"messages":[]}';
    begin
      for worker in 1..100 loop
        answer := test.settle_and_claim(
          jsonb_build_array(jsonb_build_object(
            'token', test.token(worker - 1), 'handled', jsonb_path_query_array(answer, '$.messages[*].id')
          )),
          test.token(worker), last_keys => answer -> 'last_keys'
        );
      end loop;
    end
    $do$
  $$),
  '<', 100000::bigint,
  'ten reads for each message at most'
);
select is(
  (select count(*) from messenger_messages), 100::bigint, 'all but the last claim are handled'
);

select * from finish();
rollback;
