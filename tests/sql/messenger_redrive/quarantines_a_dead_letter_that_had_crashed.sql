-- It may crash its worker again, and then it must take no other with it.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('crashed', reason => 'crashed'), test.dead_letter('exhausted');
select messenger_redrive("all" => true);
select results_eq(
  'select type, quarantined from messenger_messages order by type',
  $$values ('crashed', true), ('exhausted', false)$$,
  'the reason decides'
);

select * from finish();
rollback;
