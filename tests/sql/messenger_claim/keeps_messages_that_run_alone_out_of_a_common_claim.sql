-- Suspects of a crash take no innocent one with them.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('suspect', 'innocent');
update messenger_messages set quarantined = true where type = 'suspect';
create temp table claim as select test.claim(test.token(1)) as answer;

select is((select test.types(answer -> 'messages') from claim), array['innocent'], 'left out');
select is(
  (select (answer -> 'quarantined_due')::boolean from claim), true, 'but the worker is told that one waits'
);

select * from finish();
rollback;
