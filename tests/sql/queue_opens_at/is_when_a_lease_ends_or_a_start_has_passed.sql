-- So that a worker need not ask before.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name) values ('mail');
select is(messenger.queue_opens_at('mail'), null, 'at once without limits');
update messenger_queues set concurrency = 4, rate_limit = 3 where name = 'mail';
select is(messenger.queue_opens_at('mail'), null, 'at once within them');

update messenger_queues set rate_limit = null where name = 'mail';
select test.dispatch_many(4, 'mail');
select test.set_clock('2026-01-01 11:59:59Z');
select test.claim(test.token(4), 1, lease_ms => 1000);
select test.set_clock('2026-01-01 12:00Z');
select test.claim(test.token(n), 1, lease_ms => n * 1000, sweep => false) from generate_series(1, 3) as n;
update messenger_queues set concurrency = 2, rate_limit = 3 where name = 'mail';
select is(
  messenger.queue_opens_at('mail'), '2026-01-01 12:00:02Z'::timestamptz,
  'when enough leases have ended that a place is free'
);
update messenger_queues set concurrency = null where name = 'mail';
insert into messenger.start_grants values
  ('mail', '2026-01-01 11:59:59Z', 9), ('mail', '2026-01-01 11:59:59.5Z', 2),
  ('mail', '2026-01-01 12:00:00.1Z', 2);
select is(
  messenger.queue_opens_at('mail'), '2026-01-01 12:00:00.5Z'::timestamptz,
  'when the start that is too many was a period ago'
);
update messenger_queues set rate_period_ms = 5000 where name = 'mail';
select is(
  messenger.queue_opens_at('mail'), '2026-01-01 12:00:04.5Z'::timestamptz, 'be it a long one'
);
update messenger_queues set concurrency = 1 where name = 'mail';
update messenger_messages set leased_until = '2026-01-01 12:01Z' where true;
select is(
  messenger.queue_opens_at('mail'), '2026-01-01 12:01Z'::timestamptz, 'the later of the two'
);
update messenger_queues set concurrency = 5, rate_limit = 14 where name = 'mail';
select is(messenger.queue_opens_at('mail'), null, 'at once where the limits are raised');

select * from finish();
rollback;
