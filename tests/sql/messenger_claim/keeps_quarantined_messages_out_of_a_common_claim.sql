-- A message that was in a crash may crash its worker again, and then it must take no other with it.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('quarantined', 'ordinary');
update messenger_messages set quarantined = true where type = 'quarantined';
create temp table claim as select test.claim(test.token(1)) as answer;

select is((select test.types(answer -> 'messages') from claim), array['ordinary'], 'left out');
select is(
  (select (answer -> 'quarantined_due')::boolean from claim), true, 'but the worker is told that one waits'
);

select * from finish();
rollback;
