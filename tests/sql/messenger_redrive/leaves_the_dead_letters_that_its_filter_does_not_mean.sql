-- They stay as they are.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A'), test.dead_letter('B');
create temp table before as select * from messenger_failed_messages where type = 'B';
select messenger_redrive(type => 'A');
select results_eq(
  'select * from messenger_failed_messages', 'select * from before', 'one is left, unchanged'
);

select * from finish();
rollback;
