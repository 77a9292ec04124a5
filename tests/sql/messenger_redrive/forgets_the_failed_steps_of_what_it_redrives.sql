begin;
select plan(2);

select test.dead_letter(type) from unnest('{A,B}'::text[]) as type;
update messenger_failed_messages set queue = 'no queue' where type = 'B';
insert into messenger_steps (message_id, handler, name, status)
select f.id, 'h', s.status, s.status from messenger_failed_messages f, unnest('{done,failed}'::text[]) as s (status);
select messenger_redrive("all" => true);

select results_eq(
  $$select name from messenger_steps where message_id = test.id_of('A')$$, $$values ('done')$$,
  'a step that failed runs again'
);
select results_eq(
  $$select name from messenger_steps where message_id = test.id_of('B') order by name$$,
  $$values ('done'), ('failed')$$, 'a dead letter that stays keeps its steps'
);

select * from finish();
rollback;
