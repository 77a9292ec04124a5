-- Handled messages whose time is over, progress of messages that are gone, limits that are not used any more.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_handled_messages
select n, 'A', 'default', null, 1, messenger_now(), messenger_now(), messenger_now() + keep
from (values (901, interval '0'), (902, interval '1 minute')) as k (n, keep);
select test.dispatch('waits');
insert into messenger.progress
select id, 0.5, null, messenger_now()
from unnest(array[test.id_of('waits'), test.dead_letter('dead'), 0]) as k (id);
select messenger.count_dispatches(
  test.limit_of(1, 1, '1 second') || test.limit_of(1, 1, '1 hour', caller => 'total')
);
select test.set_clock('2026-01-01 12:02Z');
update messenger_handled_messages set keep_until = messenger_now() + interval '1 second'
where id = 902;

select is(
  messenger_prune(dry_run => true) - array['failed', 'idempotency_keys', 'batches', 'matched', 'done', 'capped', 'next'],
  '{"handled":1,"progress":1,"rate_limits":1,"outbox":0,"deliveries":0,"series":0,"steps":0}', 'a dry run counts them'
);
select is(
  messenger_prune() - array['failed', 'idempotency_keys', 'batches', 'matched', 'done', 'capped', 'next'],
  '{"handled":1,"progress":1,"rate_limits":1,"outbox":0,"deliveries":0,"series":0,"steps":0}', 'one of each'
);
select is(array(select id from messenger_handled_messages), array[902::bigint], 'one is kept on');
select is(
  array(select message_id from messenger.progress order by 1),
  array(select test.id_of(t) from unnest(array['waits', 'dead']) as t order by 1),
  'what is followed keeps its progress'
);
select is(array(select caller from messenger.rate_limits), array['total'], 'what is used stays');

select * from finish();
rollback;
