-- One paused tenant with a backlog, beside reminders of thousands of tenants for tomorrow.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, available_at)
select 'Later', 'reports/t' || n, '2026-01-02 12:00Z' from generate_series(1, 20000) as n;
insert into messenger_messages (type, queue, available_at)
select 'Held', 'reports/held', '2026-01-01 11:00Z' from generate_series(1, 1200);
insert into messenger_queues (name, paused) values ('reports/held', true);
insert into messenger_messages (type, queue, available_at) values ('Other', 'default', '2026-01-01 11:59Z');

select cmp_ok(
  test.rows_read_by($$select messenger.next_due('{reports}')$$), '<', 12000::bigint, 'a search does not read every lane'
);
select is(messenger.next_due('{reports}'), '2026-01-02 12:00Z', 'and finds the first message that may start');
select cmp_ok(
  test.rows_read_by('select test.claim(test.token(1))'), '<', 12000::bigint, 'nor does a claim'
);
select is(
  (select type from messenger_messages where lease_token = test.token(1)), 'Other', 'which takes what is due elsewhere'
);

-- In turn behind the others.
insert into messenger_messages (type, queue, available_at) values ('Open', 'reports/zz', '2026-01-01 11:30Z');
select is(messenger.next_due('{reports}'), '2026-01-01 11:30Z', 'a due message behind the backlog is seen');
select test.claim(test.token(2));
select is(
  (select type from messenger_messages where lease_token = test.token(2)), 'Open', 'and claimed'
);
update messenger_queues set paused = false where name = 'reports/held';
select is(messenger.next_due('{reports}'), '2026-01-01 11:00Z', 'as is the backlog when its lane is open');

select * from finish();
rollback;
