-- Written into the table in SQL. A row that is there already ends no claim, and no look at the queues.
begin;
select plan(8);

select throws_ok(
  format($$insert into messenger_messages (type, queue) values ('A', %L)$$, queue), '23514', null,
  format('no message for %s', queue)
) from unnest('{reports/,reports/é,reports/~,reports/a/b}'::text[]) as queue;
insert into messenger_messages (type, queue) values ('A', 'reports/acme');
select throws_ok(
  $$update messenger_messages set queue = 'reports/é' where true$$, '23514', null, 'nor one moved there'
);

set local session_replication_role = replica;
insert into messenger_messages (type, queue) values ('A', 'reports/é'), ('A', 'zeta');
set local session_replication_role = origin;
select is(messenger.stray_queues(), '{zeta}', 'the queues behind it are seen');
select ok(messenger.next_due() <= messenger_now(), 'and so is when the next message is due');
select results_eq(
  $$select m ->> 3 from json_array_elements(messenger_claim(test.token(1)) -> 'messages') m order by 1$$,
  $$values ('reports/acme'), ('zeta')$$, 'and the others are claimed'
);

select * from finish();
rollback;
