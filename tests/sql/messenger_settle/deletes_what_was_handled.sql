-- The table stays as small as the backlog.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B', 'C');
select test.claim(test.token(1));
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A', 'C')
  ))),
  '{"stale":[]}', 'none is stale'
);
select is(array(select type from messenger_messages), array['B'], 'the handled rows are gone');
select is_empty('select id from messenger_failed_messages', 'and are not among the dead letters');

select * from finish();
rollback;
