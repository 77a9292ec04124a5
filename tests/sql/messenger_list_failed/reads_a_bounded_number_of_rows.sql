begin;
select plan(4);
select test.dead_letter('Rare', failed_at => '2026-01-01Z', reason => 'crashed');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select nextval('messenger_messages_id_seq'), 'Bulk', '{}', 'default', 'exhausted', now(),
  '2026-01-02Z' from generate_series(1, 5000);

select cmp_ok(
  test.rows_read_by('select messenger_list_failed()', 'messenger_failed_messages'), '<',
  100::bigint, 'a page of all'
);
select cmp_ok(
  test.rows_read_by(
    $$select messenger_list_failed(type => 'Rare')$$, 'messenger_failed_messages'
  ),
  '<', 10::bigint, 'a page of one type'
);
select cmp_ok(
  test.rows_read_by(
    $$select messenger_list_failed(reason => 'crashed', max_scanned => 1000)$$,
    'messenger_failed_messages'
  ),
  '<=', 2100::bigint, 'a page of few'
);
select isnt(
  messenger_list_failed(reason => 'crashed', max_scanned => 1000) -> 'next', 'null',
  'is short, with a next'
);

select * from finish();
rollback;
