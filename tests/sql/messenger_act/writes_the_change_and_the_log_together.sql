-- One transaction: who undoes the one undoes the other.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.dead_letter('A'), test.dead_letter('B');

select is(
  messenger_act('ada', 'messenger_redrive', '{"type":"A"}') -> 'done', '1',
  'returns the result of the function'
);
select results_eq(
  $$select at, actor, action, target, affected from messenger_actions$$,
  $$values ('2026-01-01 12:00Z'::timestamptz, 'ada', 'redrive', '{"type":"A"}'::jsonb, 1::bigint)$$,
  'the line says who did what to how many'
);
select results_eq('select type from messenger_messages', array['A'], 'it is done');

savepoint before;
select messenger_act('ada', 'messenger_remove_failed', '{"type":"B"}');
rollback to before;
select is((select count(*)::int from messenger_actions), 1, 'no line without the change');
select is((select count(*)::int from messenger_failed_messages), 1, 'and no change without the line');

select * from finish();
rollback;
