-- A backlog may have millions of messages. Each minute reads the next part.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(2000);
update messenger_messages set status = 'processing', lease_token = test.token(1), leased_until = '2026-01-01 11:00Z'
where id in (select id from messenger_messages order by id desc limit 1);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by('select messenger.settle_unleased(2)'), '<', 1000::bigint, 'a part of the rows is read'
);
create temp table found as select sum(n)::integer as n from (
  select test.set_clock('2026-01-01 12:00Z'::timestamptz + minute * interval '1 minute'), messenger.settle_unleased(10) as n
  from generate_series(1, (pg_relation_size('messenger_messages') / 81920 + 1)::integer) as minute offset 0
) as looks;
select is((select n from found), 1, 'after some minutes all are read');
select is_empty($$select * from messenger_messages where status = 'processing'$$, 'and the message is back');

select * from finish();
rollback;
