-- Nothing runs beside it, not even another quarantined message.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('later', available_at => '2026-01-01 11:59Z');
select messenger_dispatch('sooner', available_at => '2026-01-01 11:58Z');
select messenger_dispatch('future', available_at => '2026-01-01 12:01Z');
update messenger_messages set quarantined = true where true;
select test.dispatch('ordinary');

select is(
  test.types(test.claim(test.token(1), run_alone => true) -> 'messages'), array['sooner'],
  'one, that which is due longest'
);
select is(
  test.claim(test.token(2), max_messages => 0, run_alone => true) -> 'messages', '[]',
  'none if there is no room'
);
create temp table last as select test.claim(test.token(3), run_alone => true) as answer;
select is((select test.types(answer -> 'messages') from last), array['later'], 'then the next');
select is(
  (select (answer -> 'quarantined_due')::boolean from last), false, 'the one of the future is not due'
);
select is(
  test.claim(test.token(4), queues => array['mail'], run_alone => true) -> 'messages', '[]',
  'and never one of another queue'
);

select * from finish();
rollback;
