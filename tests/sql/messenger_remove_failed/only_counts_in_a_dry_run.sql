-- To see what a filter means before it is gone for good.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A'), test.dead_letter('B'), test.dead_letter('B');
select is(
  messenger_remove_failed(type => 'B', dry_run => true) - '{left,missing,next}'::text[],
  '{"matched":2,"done":0,"running":0}', 'two would go'
);
select is((select count(*) from messenger_failed_messages), 3::bigint, 'none is gone');

select * from finish();
rollback;
