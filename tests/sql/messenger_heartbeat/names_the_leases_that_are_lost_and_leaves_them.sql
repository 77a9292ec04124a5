-- The worker stops those handlers: their messages are another's.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('mine', 'swept', 'released', 'gone');
select test.claim(test.token(1), lease_ms => 1000);
create temp table mine as select test.ids('mine', 'swept', 'released', 'gone') as ids;
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'released', test.ids('released'), 'handled', test.ids('gone')
)));
update messenger_messages set leased_until = leased_until + interval '1 hour' where type = 'mine';
select test.set_clock('2026-01-01 12:01Z');
select test.claim(test.token(2), 0, lease_ms => 5000);

create temp table answer as select messenger_heartbeat(
  jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', (select ids from mine)))
) as answer;
select results_eq(
  $$select jsonb_array_elements(answer -> 'lost') from answer order by 1$$,
  $$select jsonb_array_elements(ids - 0) from mine order by 1$$,
  'swept, released and gone'
);
select results_eq(
  $$select type, leased_until from messenger_messages order by id$$,
  $$values ('mine', '2026-01-01 12:02Z'::timestamptz), ('swept', '2026-01-01 12:01:05Z'),
    ('released', null)$$,
  'only the worker''s own lease runs on'
);
select is(messenger_heartbeat('[]'), '{"lost":[],"cancelled":[]}', 'no lease, none lost');

select * from finish();
rollback;
