-- Those of waiting, running and quarantined messages together.
begin;
select plan(4);

insert into messenger_messages (type, queue) select 'T', 'a' || n from generate_series(1, 5) n;
insert into messenger_messages (type, queue, quarantined) select 'T', 'b' || n, true from generate_series(1, 5) n;
insert into messenger.leases (token, leased_until, queues, ids, open)
values (test.token(1), messenger_now() + interval '1 hour', '{c1,c2,c3,c4,c5}', '{}', 1);
select is(messenger.queues_in_use(7), array['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2'], 'no more than asked for');
select is(cardinality(messenger.queues_in_use()), 15, 'all of them');

insert into messenger_messages (type, queue, quarantined) select 'T', 'd' || n, true from generate_series(1, 210) n;
select is((select queues_in_use from messenger_overview), 200::bigint, 'the overview counts up to 200');
select is(messenger.queues_in_use(0), '{}', 'or none');

select * from finish();
rollback;
