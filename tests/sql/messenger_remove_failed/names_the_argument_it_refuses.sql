-- A call that forgot its filter must not empty the table.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A');
select throws_ok(
  $$select messenger_remove_failed()$$, 'PT400',
  'filter: give at least one of ids, type, queue, reason, error, failed_from, failed_until, group_key, user_id, created_from, created_until, or "all" => true',
  'no filter'
);
select throws_ok(
  $$select messenger_remove_failed(max_messages => 10)$$, 'PT400',
  'filter: give at least one of ids, type, queue, reason, error, failed_from, failed_until, group_key, user_id, created_from, created_until, or "all" => true',
  'a number is no filter'
);
select throws_ok(
  $$select messenger_remove_failed(type => 'A', max_messages => 0)$$,
  'PT400', 'max_messages: has to be at least 1', 'up to none'
);
select throws_ok(
  $$select messenger_remove_failed(reason => 'tired')$$,
  'PT400', 'reason: has to be one of exhausted, unrecoverable, crashed, invalid, unknown_type, expired, cancelled, interrupted',
  'a reason that does not exist'
);
select throws_ok(
  format('select messenger_remove_failed(ids => array[null, %s])', (select id from messenger_failed_messages)),
  'PT400', 'ids: have to be a list of ids without null', 'null beside an id'
);
select is((select count(*) from messenger_failed_messages), 1::bigint, 'the dead letter is still there');

select * from finish();
rollback;
