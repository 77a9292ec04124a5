-- A grant is rounded up by a hundredth of its period: of a day, by 14 minutes.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:01Z');

insert into messenger_queues (name, rate_limit, rate_period_ms, lane_rate_limit, lane_rate_period_ms)
values ('mail', 1, 86400000, null, 1000), ('reports', null, 1000, 1, 86400000);
select test.dispatch_many(2, 'mail'), test.dispatch_many(2, 'reports/a');
select is(cardinality(test.claimed(1)), 2, 'one of the queue and one of the lane');
select cmp_ok(messenger.queue_opens_at('mail'), '>', '2026-01-02 12:01Z'::timestamptz, 'the next one a day later');

update messenger_queues set rate_period_ms = 1000 where name = 'mail';
update messenger_queues set lane_rate_period_ms = 1000 where name = 'reports';
select is(messenger.queue_opens_at('mail'), null, 'a queue whose period is a second now is open');
select is(messenger.queue_opens_at('reports/a'), null, 'and so is a lane');
select is(cardinality(test.claimed(2)), 2, 'a claim takes the next ones');
select is(
  messenger.queue_opens_at('mail') between '2026-01-01 12:01:01Z' and '2026-01-01 12:01:02Z', true,
  'and the new rate holds'
);

select * from finish();
rollback;
