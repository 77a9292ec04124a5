-- Failing again it comes back, with the errors of both lives.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A');
select messenger_redrive(type => 'A');
select test.claim(test.token(1));
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'dead', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'reason', 'unrecoverable', 'errors', '[{"message":"gone"}]'::jsonb
  ))
)));

select results_eq(
  'select redriven, reason, error, errors from messenger_failed_messages',
  $$values (1, 'unrecoverable', 'gone', '[{"message":"no route"},{"message":"gone"}]'::jsonb)$$,
  'redriven once'
);
select messenger_redrive(type => 'A');
select is((select stamps -> 'redriven' from messenger_messages), '2', 'and then twice');
select is(
  messenger_redrive(type => 'A') -> 'matched', '0',
  'what waits already is not redriven again'
);

select * from finish();
rollback;
