-- None was skipped by a trigger of the project's own.
begin;
select plan(1);
select test.dispatch('A');
select test.claim(test.token(1), 1);
select is(
  messenger_heartbeat(jsonb_build_array(
    jsonb_build_object('token', test.token(1), 'ids', test.ids('A')),
    jsonb_build_object('token', test.token(1), 'ids', test.ids('A'))
  )),
  '{"lost":[],"cancelled":[]}', 'none is lost'
);
select * from finish();
rollback;
