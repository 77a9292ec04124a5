begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, available_at, errors, stamps) values
  ('A', '2026-01-02 12:00Z', '[{"message":"no route"},{"message":"SMTP Timeout"}]', '{"user":{"id":"ada"}}'),
  ('B', '2026-01-02 12:00Z', '[{"message":"timeout"},{"message":"no route"}]', '{}'),
  ('C', '2026-01-02 12:00Z', '[]', '{}');

select is(
  test.types(messenger_list_messages(error => 'timeout') -> 'messages'), array['A'],
  'those whose last error has the text in it, in any case of letters'
);
select is(
  (
    select array_agg(m ->> 'user' order by m ->> 'type') from jsonb_array_elements(
      messenger_list_messages() -> 'messages'
    ) as m
  ),
  array['ada', null, null], 'each with the user who dispatched it'
);
select is(
  messenger_run(error => 'no route', dry_run => true) ->> 'matched', '1', 'the same filter runs them now'
);
select is(
  messenger_cancel(error => 'NO ROUTE') ->> 'done', '1', 'and cancels them'
);

select * from finish();
rollback;
