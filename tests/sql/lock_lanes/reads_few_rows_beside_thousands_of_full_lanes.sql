-- 2,904 lanes run as many messages as they may, and hold more. Only the first claim reads each of them.
begin;
select plan(26);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.lane(n integer) returns text language sql as $$ select 'reports/a' || lpad(n::text, 5, '0') $$;
-- Lanes from 2900 on have a lease that ends soon.
insert into messenger_queues (name, lane_concurrency) values ('reports', 1);
insert into messenger_messages (type, queue, status, heartbeated, lease_token, leased_until, attempts)
select 'Run', pg_temp.lane(n), 'processing', true, test.token(n),
  messenger_now() + case when n >= 2900 then n - 2880 else 3600 end * interval '1 second', 1
from generate_series(1, 2904) n;
insert into messenger.leases (token, leased_until, queues, ids, open)
select m.lease_token, m.leased_until, '{reports}', array[m.id], 1 from messenger_messages m where m.status = 'processing';
insert into messenger_messages (type, queue, available_at, payload)
select 'Held', pg_temp.lane(n), messenger_now() - interval '1 day', '{}' from generate_series(1, 2904) n, generate_series(1, 3);
create function pg_temp.settle(n integer, outcome jsonb) returns jsonb language sql as $$
  select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(n)) || outcome))
$$;
create function pg_temp.run_of(n integer) returns text language sql as $$
  select id::text from messenger_messages where queue = pg_temp.lane(n) and status = 'processing'
$$;
create function pg_temp.claimed(worker integer) returns text[] language sql as $$
  select array(select m ->> 'queue' from jsonb_array_elements(test.claim(test.token(worker), 20, sweep => false) -> 'messages') as m)
$$;

select is(pg_temp.claimed(9001), '{}', 'where each is full, a claim gives none');
select cmp_ok(test.rows_read_by('select pg_temp.claimed(9002)'), '<', 500::bigint, 'the next claim reads few messages');
select cmp_ok(
  test.rows_read_by('select pg_temp.claimed(9003)', 'messenger.lanes_to_scan'), '<', 50::bigint, 'and few of the named lanes'
);
select cmp_ok(test.rows_read_by('select messenger.next_due()'), '<', 500::bigint, 'as does a poll');
select is(messenger.next_due(), messenger_now() + interval '20 seconds', 'which finds the first lease that ends');

select pg_temp.settle(1, jsonb_build_object('handled', jsonb_build_array(pg_temp.run_of(1))));
select is(messenger.next_due(), messenger_now() - interval '1 day', 'a message behind one that was handled is due');
select is(pg_temp.claimed(9004), array[pg_temp.lane(1)], 'and the first claim gives it');
select is(pg_temp.claimed(9005), '{}', 'once');

select pg_temp.settle(2, jsonb_build_object('handled', jsonb_build_array(pg_temp.run_of(2)), 'batch', 'none'));
select is(pg_temp.claimed(9006), array[pg_temp.lane(2)], 'so is one behind a member of a batch');
select pg_temp.settle(3, jsonb_build_object('dead', jsonb_build_array(jsonb_build_object('id', pg_temp.run_of(3), 'reason', 'exhausted'))));
select is(pg_temp.claimed(9007), array[pg_temp.lane(3)], 'behind a dead letter');
select pg_temp.settle(4, jsonb_build_object('retries', jsonb_build_array(
  jsonb_build_object('id', pg_temp.run_of(4), 'delay_ms', 60000, 'retry_count', 1)
)));
select is(pg_temp.claimed(9008), array[pg_temp.lane(4)], 'behind one that waits for its retry');
select pg_temp.settle(5, jsonb_build_object('snoozed', jsonb_build_array(jsonb_build_object('id', pg_temp.run_of(5), 'delay_ms', 60000))));
select is(pg_temp.claimed(9009), array[pg_temp.lane(5)], 'behind one that is snoozed');
select pg_temp.settle(6, jsonb_build_object('parked', jsonb_build_array(jsonb_build_object('id', pg_temp.run_of(6), 'delay_ms', 60000))));
select is(pg_temp.claimed(9010), array[pg_temp.lane(6)], 'behind one that is parked');
select pg_temp.settle(7, jsonb_build_object('released', jsonb_build_array(pg_temp.run_of(7))));
select is(pg_temp.claimed(9011), array[pg_temp.lane(7)], 'and one that is given back');

update messenger_messages set cancelled = true where id = pg_temp.run_of(8)::bigint;
select pg_temp.settle(8, jsonb_build_object('retries', jsonb_build_array(
  jsonb_build_object('id', pg_temp.run_of(8), 'delay_ms', 60000, 'retry_count', 1)
)));
select is(pg_temp.claimed(9012), array[pg_temp.lane(8)], 'behind one that was cancelled');

insert into messenger_queues (name, concurrency) values (pg_temp.lane(9), 2);
select is(pg_temp.claimed(9013), array[pg_temp.lane(9)], 'of a lane that is given a larger number');
update messenger_queues set concurrency = 3 where name = pg_temp.lane(9);
select is(pg_temp.claimed(9014), array[pg_temp.lane(9)], 'and of one whose number is raised');

insert into messenger_messages (type, queue, available_at) values ('Free', 'reports/z', messenger_now());
select is(pg_temp.claimed(9015), array['reports/z'], 'an open lane is found beside them');
insert into messenger_queues (name, concurrency) values ('reports/y', 1000);
insert into messenger_messages (type, queue, available_at)
select 'Free', 'reports/y', messenger_now() from generate_series(1, 100);
select is(cardinality(pg_temp.claimed(9016)), 20, 'and one with a backlog');
select cmp_ok(test.rows_read_by('select pg_temp.claimed(9017)'), '<', 500::bigint, 'by claims that read few messages');
delete from messenger_messages where queue = 'reports/y';

select test.set_clock('2026-01-01 12:00:20.001Z');
select is(pg_temp.claimed(9018), array[pg_temp.lane(2900)], 'a lane whose lease has ended is open');
select test.set_clock('2026-01-01 12:00:24.001Z');
select is(cardinality(pg_temp.claimed(9019)), 4, 'each at its time');
select is(pg_temp.claimed(9020), '{}', 'once');

select test.set_clock('2026-01-01 12:00:31Z');
select cmp_ok(test.rows_read_by('select pg_temp.claimed(9021)'), '>', 2900::bigint, 'after 30 s one claim reads all again');
select cmp_ok(test.rows_read_by('select pg_temp.claimed(9022)'), '<', 500::bigint, 'and the next few');
update messenger_queues set lane_concurrency = 2 where name = 'reports';
select is(cardinality(pg_temp.claimed(9023)), 20, 'a larger number for all lanes opens them');

select * from finish();
rollback;
