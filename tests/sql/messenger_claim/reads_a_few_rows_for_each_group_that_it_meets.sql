-- 100,000 groups of one: a claim and what ends its messages read what they take, and not the queue.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, group_key, available_at)
select 'T' || n, 'g' || n, messenger_now() - interval '1 hour' from generate_series(1, 100000) n;
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(1), 20)$$), '<', 500::bigint,
  'a claim of 20, without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2), 500)$$), '<', 10000::bigint,
  'a claim of 500, with statistics'
);
select cmp_ok(
  test.rows_read_by($$
    select messenger_settle(jsonb_build_array(jsonb_build_object(
      'token', token, 'grouped', true, 'handled', (select jsonb_agg(id::text) from unnest(ids) as id)
    )))
    from messenger.leases where token = test.token(2)
  $$), '<', 10000::bigint, 'their settle call'
);
select is((select count(*) from messenger_messages), 99500::bigint, 'they are gone');
select cmp_ok(
  test.rows_read_by(format(
    'delete from messenger_messages where id between %1$s and %1$s + 9', test.id_of('T50000')
  )), '<', 500::bigint, 'a deletion of ten in SQL'
);
select cmp_ok(
  test.rows_read_by(format(
    'select messenger_cancel(ids => array(select generate_series(%1$s, %1$s + 99)))',
    test.id_of('T60000')
  )), '<', 5000::bigint, 'a cancel of a hundred'
);
select cmp_ok(
  test.rows_read_by(format(
    'update messenger_messages set group_key = ''other'' where id = %s', test.id_of('T70000')
  )), '<', 100::bigint, 'a move in SQL'
);
select cmp_ok(
  test.rows_read_by($$update messenger_queues set group_concurrency = 2$$), '<', 1000::bigint,
  'and a raised group_concurrency, where nothing is blocked'
);

select * from finish();
rollback;
