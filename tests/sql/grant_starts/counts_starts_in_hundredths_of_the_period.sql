-- Rounded up, so that none passes too early; and not many rows, however many claims.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00:00.003Z');

insert into messenger_queues (name, rate_limit) values ('mail', 10);
insert into messenger_queues (name) values ('free');
select is(messenger.grant_starts('mail', 2, 100), 2, 'it says how many it counted');
select messenger.grant_starts('mail', 3, 104);
select messenger.grant_starts('mail', 1, 110);
select results_eq(
  'select queue::text collate "default", starts_by, messages from messenger.start_grants order by 2',
  $$values ('mail', '2026-01-01 12:00:00.110Z'::timestamptz, 5), ('mail', '2026-01-01 12:00:00.120Z', 1)$$,
  'the last moment at which they may start, to the next hundredth'
);
select is(messenger.grant_starts('mail', 0, 100), 0, 'none');
select is(messenger.grant_starts('free', 2, 100), 0, 'a queue without a rate is not counted');

select test.set_clock('2026-01-01 12:00:01.110Z');
select messenger.grant_starts('mail', 1, 1);
select results_eq(
  'select starts_by, messages from messenger.start_grants order by 1',
  $$values ('2026-01-01 12:00:00.120Z'::timestamptz, 1), ('2026-01-01 12:00:01.120Z', 1)$$,
  'what has passed is forgotten'
);
update messenger_queues set rate_period_ms = 86400000 where name = 'mail';
select messenger.grant_starts('mail', 1, 250) from generate_series(1, 500);
select is(
  (select count(*) from messenger.start_grants), 3::bigint, 'long periods have long hundredths'
);

select * from finish();
rollback;
