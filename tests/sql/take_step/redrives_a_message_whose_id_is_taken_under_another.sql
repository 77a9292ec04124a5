-- After a restore the sequence may give ids that dead letters have.
begin;
select plan(2);
select test.dead_letter('A');
insert into messenger_messages (id, type) values (test.id_of('A'), 'B');

select is(messenger_redrive(type => 'A') -> 'done', '1', 'it is redriven');
select is(
  array(select type from messenger_messages order by type), array['A', 'B'], 'beside the other'
);

select * from finish();
rollback;
