-- To see what a filter means before it is done.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A'), test.dead_letter('B'), test.dead_letter('B');
create temp table before as select * from messenger_failed_messages;
select is(
  messenger_redrive(type => 'B', dry_run => true) - '{left,missing,next}'::text[],
  '{"matched":2,"done":0,"running":0}', 'two would go'
);
select is_empty('select id from messenger_messages', 'none has gone');
select results_eq(
  'select * from messenger_failed_messages order by id', 'select * from before order by id',
  'all are as they were'
);

select * from finish();
rollback;
