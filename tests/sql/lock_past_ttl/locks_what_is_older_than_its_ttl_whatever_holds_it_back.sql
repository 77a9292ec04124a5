begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('quarantined', ttl => interval '2 minutes');
select messenger_dispatch('retried', ttl => interval '4 minutes');
select messenger_dispatch('runs', ttl => interval '1 minute', priority => 9);
select messenger_dispatch('first of a group', group_key => 'g');
select messenger_dispatch('behind it', group_key => 'g', ttl => interval '1 minute');
select messenger_dispatch('lives', ttl => interval '1 hour');
select messenger_dispatch('endless');
select test.claim(test.token(1), 1);
select messenger_dispatch('paused', queue => 'mail', ttl => interval '3 minutes');
update messenger_messages set quarantined = true where type = 'quarantined';
update messenger_messages set available_at = '2026-01-02' where type = 'retried';
update messenger_queues set paused = true where name = 'mail';

select is(
  (select test.types_at(locked) from messenger.lock_past_ttl(null, 10, null)), '{}', 'nothing before its end'
);
select test.set_clock('2026-01-01 12:04Z');
select is(
  (select array(select unnest(test.types_at(locked)) order by 1) from messenger.lock_past_ttl(null, 10, null)),
  array['paused', 'quarantined', 'retried'],
  'what runs, and what waits behind another of its group, is left'
);
select is(
  (select test.types_at(locked) from messenger.lock_past_ttl('{mail}', 10, 1)), array['paused'],
  'of the queues that are asked for; one, however large'
);
select is(
  (select test.types_at(locked) from messenger.lock_past_ttl(null, 1, null)), array['quarantined'],
  'no more than asked for, and the oldest first'
);
select is(
  (select test.types_at(locked) from messenger.lock_past_ttl(null, 0, null)), '{}',
  'nothing where nothing is asked for'
);

select * from finish();
rollback;
