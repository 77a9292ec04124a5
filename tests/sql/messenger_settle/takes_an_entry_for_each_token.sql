-- A worker's crashed messages have a token of their own, and so has the claim before the last.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1), 1);
select test.claim(test.token(2), 1);
select is(
  messenger_settle(jsonb_build_array(
    jsonb_build_object('token', test.token(1), 'handled', test.ids('A')),
    jsonb_build_object('token', test.token(2), 'handled', test.ids('B'))
  )),
  '{"stale":[]}', 'both are settled'
);
select is_empty('select id from messenger_messages', 'in one call');

select * from finish();
rollback;
