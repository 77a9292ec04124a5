-- From the next claim on. A queue that holds messages keeps its row and its name.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at) values ('A', '2026-01-01 11:00Z');
insert into messenger_queues (name) values ('empty');
update messenger_queues set paused = true where name = 'default';
select is(test.types(test.claim(test.token(1)) -> 'messages'), '{}', 'a paused queue is not claimed');
select throws_ok(
  $$delete from messenger_queues where name = 'default'$$, 'PT409', null, 'its row stays while it holds messages'
);
select throws_ok(
  $$update messenger_queues set name = 'other' where name = 'default'$$, 'PT409', null, 'and so does its name'
);
select lives_ok($$delete from messenger_queues where name = 'empty'$$, 'an empty queue can be deleted');
update messenger_queues set paused = false where name = 'default';
select is(test.types(test.claim(test.token(2)) -> 'messages'), '{A}', 'a resumed queue is claimed');

select * from finish();
rollback;
