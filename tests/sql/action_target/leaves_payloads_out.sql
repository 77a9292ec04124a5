-- The log is read by more people than the payloads may be.
begin;
select plan(3);

select is(
  messenger.action_target('{"ids":[1],"type":null,"payload":{"a":1},"dry_run":false}', null),
  '{"ids":[1],"payload":"edited"}', 'an edited payload is only mentioned'
);
select is(
  messenger.action_target(
    '{"schedules":[{"name":"n","cron":"@daily","max_runs":null,"payload":{"a":1},"stamps":{"b":1}}]}',
    '{"schedules":[{"id":"7","name":"n","change":"created"}]}'
  ),
  '{"schedules":[{"id":"7","name":"n","cron":"@daily","change":"created"}]}',
  'a schedule is logged with what became of it'
);
select is(
  messenger.action_target('{"name":"q","settings":{"rate_limit":null,"weight":2}}', null)
    -> 'settings' -> 'weight', '2', 'settings are kept'
);

select * from finish();
rollback;
