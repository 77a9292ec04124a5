-- The next run of the message knows nothing of it.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at) values ('A', '2026-01-01 11:00Z');
select test.claim(test.token(1));
insert into messenger_steps (message_id, handler, name, status, result)
select test.id_of('A'), 'handler', s, 'done', '1' from unnest('{pay,mail}'::text[]) as s;
delete from messenger_steps where name = 'mail';
create temp table loaded as
select messenger_load_steps(jsonb_build_array(jsonb_build_object(
  'id', test.id_of('A')::text, 'token', test.token(1)
))) as answer;
select matches((select answer::text from loaded), '"pay"', 'a step that is there is not run again');
select doesnt_match((select answer::text from loaded), '"mail"', 'one that is deleted is');

select * from finish();
rollback;
