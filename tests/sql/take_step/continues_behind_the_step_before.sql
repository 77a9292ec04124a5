-- Its cost is that of the step: rows that earlier steps have passed are not read again.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
select test.let_steps_take_long();
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', '{}', case when n % 2 = 0 then 'mail' else 'default' end, 'exhausted',
  messenger_now(), messenger_now() - interval '1 day' + n * interval '1 second'
from generate_series(1, 30000) as n;
analyze messenger_failed_messages;

create temp table first as select messenger_remove_failed(queue => 'mail') as answer;
select is((select answer -> 'done' from first), '10000', 'a step does ten thousand');
select is((select answer -> 'next' ->> 'id' from first), '20000', 'and says where it ended');
select is(
  (select answer -> 'left' from first), '{"count":5000,"capped":false}', 'and how many are left'
);
create temp table second as
select messenger_remove_failed(queue => 'mail', after => answer -> 'next') as answer from first;
select is((select answer -> 'done' from second), '5000', 'the next one does the rest');
select is((select answer -> 'next' from second), 'null', 'and was the last');
select is(
  (select count(*) from messenger_failed_messages), 15000::bigint, 'the others are untouched'
);

create temp table few as select messenger_redrive(type => 'Bulk', max_messages => 150) as answer;
select is(
  (select answer - array['missing', 'running'] from few),
  '{"matched":150,"done":150,"left":{"count":0,"capped":false},"next":null}',
  'max_messages is the end as well'
);
select is(
  messenger_cancel(queue => 'default', max_messages => 100, dry_run => true) -> 'matched', '100',
  'also of a dry run'
);
select cmp_ok(
  test.rows_read_by(
    $$select messenger_cancel(type => 'Nothing', max_messages => 10)$$
  ),
  '<', 1000::bigint, 'what is not meant is read once'
);

select * from finish();
rollback;
