-- Whatever state their messages are in; and it reads the first messages of each queue only.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue) select 'A', 'default' from generate_series(1, 20000);
select messenger_dispatch('A', queue => 'waits', delay => interval '1 day'),
  messenger_dispatch('B', queue => 'blocked', group_key => 'g'),
  messenger_dispatch('C', queue => 'runs', group_key => 'g', priority => 9),
  messenger_dispatch('D', queue => 'quarantined'), messenger_dispatch('E', queue => 'known');
update messenger_messages set blocked = true where type = 'B';
update messenger_messages set quarantined = true where type = 'D';
select test.claim(test.token(1), queues => array['runs']);
select is(messenger.stray_queues(), '{}', 'none, as messages are written');
alter table messenger_queues disable trigger user;
delete from messenger_queues where name not in ('default', 'known');
select set_eq(
  'select unnest(messenger.stray_queues())', array['waits', 'blocked', 'runs', 'quarantined'], 'all that have none'
);
select is(cardinality(messenger.stray_queues(2)), 2, 'as many as are asked for');
select cmp_ok(
  test.rows_read_by('select messenger.stray_queues()'), '<', 500::bigint, 'without reading the queues'
);
select messenger_tidy_queues();
select is(messenger.stray_queues(), '{}', 'their rows are made when the queues are tidied');

select * from finish();
rollback;
