-- The whole story: a worker was thought dead, its message was handed out as crashed, then the worker settles.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1), lease_ms => 1000);
select test.set_clock('2026-01-01 12:01Z');
create temp table sweep as select test.claim(test.token(2)) as answer;

select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A')
  ))),
  jsonb_build_object('stale', test.ids('A')),
  'too late'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', (select answer ->> 'crashed_token' from sweep), 'handled', test.ids('A')
  ))),
  '{"stale":[]}', 'the sweeper''s word counts'
);

select * from finish();
rollback;
