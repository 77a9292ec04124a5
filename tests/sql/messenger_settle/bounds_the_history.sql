-- A message that is retried for years does not grow for years.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
update messenger_messages
set errors = (select jsonb_agg(jsonb_build_object('message', n::text)) from generate_series(1, 100) as n)
where type = 'A';
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'delay_ms', 0, 'retry_count', 1,
    'errors', '[{"message":"101"}]'::jsonb
  ))
)));
select results_eq(
  $$select e ->> 'message' from messenger_messages, jsonb_array_elements(errors) as e$$,
  $$select n::text from generate_series(1, 101) as n where n <> 2$$,
  'the second error makes room for the latest'
);

select * from finish();
rollback;
