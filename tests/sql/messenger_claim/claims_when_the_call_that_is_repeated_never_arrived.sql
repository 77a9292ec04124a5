-- Nothing is leased under the token: the call is the first that got through.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select is(
  test.types(test.claim(test.token(1), repeated => true) -> 'messages'), array['A'],
  'a first claim'
);
select test.set_clock('2026-01-01 12:01Z');
select test.claim(test.token(2));
select test.dispatch('B');
select is(
  test.types(test.claim(test.token(1), repeated => true) -> 'messages'), array['B'],
  'a message that another has swept since is not taken back'
);

select * from finish();
rollback;
