begin;
select plan(3);
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', '{}', 'default', 'exhausted', now(), '2026-01-01Z'::timestamptz + n * interval '1 second'
from generate_series(1, 5000) n;
analyze messenger_failed_messages;

select cmp_ok(
  test.rows_read_by('select messenger_group_failed(max_scanned => 200)', 'messenger_failed_messages'), '<=',
  500::bigint, 'no more than max_scanned'
);
select is(
  messenger_group_failed(max_scanned => 200) -> 'next',
  jsonb_build_array('2026-01-01 01:20:01Z'::timestamptz, '4801'), 'next is the last row that was read'
);
select is(
  messenger_group_failed(max_scanned => 200, before_at => '2026-01-01 00:01:40Z', before_id => 100) - 'groups',
  '{"left_out":0,"scanned":99,"next":null}', 'the last page has no next'
);

select * from finish();
rollback;
