-- A call whose answer was lost on its way.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('crashed');
select test.claim(test.token(1), lease_ms => 1000);
select test.set_clock('2026-01-01 12:01Z');
select test.dispatch('first', 'second');
create temp table lost as select test.claim(test.token(2)) as answer;
select test.dispatch('third');
create temp table repeat as select test.claim(test.token(2), repeated => true) as answer;

select is(
  (select answer -> 'messages' from repeat), (select answer -> 'messages' from lost),
  'the same messages, with no further attempt charged'
);
select is(
  (select answer -> 'crashed' from repeat), (select answer -> 'crashed' from lost),
  'the same crashed ones'
);
select results_eq(
  $$select type, lease_token from messenger_messages where status = 'processing' order by id$$,
  $$values ('crashed', (select (answer ->> 'crashed_token')::uuid from lost)),
    ('first', test.token(2)), ('second', test.token(2))$$,
  'each under the token it had'
);

select * from finish();
rollback;
