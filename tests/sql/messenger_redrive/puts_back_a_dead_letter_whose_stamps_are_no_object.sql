-- Such stamps come from a user's own SQL. They keep back no other dead letter.
begin;
select plan(2);
select test.dead_letter(t, stamps => s::jsonb) from (values ('A', '"x"'), ('B', 'null'), ('C', '[1]'), ('D', '{"of":"mine"}')) as d (t, s);
select is(messenger_redrive("all" => true) -> 'done', '4', 'all are put back');
select results_eq(
  'select type, stamps from messenger_messages order by type',
  $$values ('A', '{"redriven":1}'::jsonb), ('B', '{"redriven":1}'), ('C', '{"redriven":1}'), ('D', '{"of":"mine","redriven":1}')$$,
  'with stamps that can be read'
);
select * from finish();
rollback;
