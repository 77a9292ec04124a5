-- A type is enough: every other column has a default.
begin;
select plan(3);

insert into messenger_messages (type) values ('A');
select isnt_empty('select from messenger_ticks where started_at is null', 'a tick is asked for');
select is(test.types(test.claim(test.token(1)) -> 'messages'), '{A}', 'it is claimed');
select throws_ok(
  $$insert into messenger_messages (type, queue) values ('A', 'a b')$$, '23514', null, 'a wrong queue is refused'
);

select * from finish();
rollback;
