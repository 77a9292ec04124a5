-- Over queues and priorities, among messages that run alone, and in the past as well.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger.next_due(array['default']), null, 'none where nothing waits');
select messenger_dispatch('low', priority => -5, delay => interval '3 minutes');
select messenger_dispatch('high', priority => 5, delay => interval '5 minutes');
select is(
  messenger.next_due(array['default']), '2026-01-01 12:03Z'::timestamptz,
  'the earliest, not the most urgent'
);
select messenger_dispatch('elsewhere', queue => 'mail', delay => interval '1 minute');
select is(
  messenger.next_due(array['default']), '2026-01-01 12:03Z'::timestamptz,
  'queues that are not asked for do not count'
);
select is(
  messenger.next_due(array['default', 'mail']), '2026-01-01 12:01Z'::timestamptz, 'those asked for do'
);
select messenger_dispatch('quarantined', available_at => '2026-01-01 11:00Z');
update messenger_messages set quarantined = true where type = 'quarantined';
select is(
  messenger.next_due(array['default']), '2026-01-01 11:00Z'::timestamptz, 'one that runs alone counts'
);
select test.claim(test.token(1), run_alone => true);
select is(
  messenger.next_due(array['default']), '2026-01-01 12:03Z'::timestamptz, 'one that runs does not'
);

select * from finish();
rollback;
