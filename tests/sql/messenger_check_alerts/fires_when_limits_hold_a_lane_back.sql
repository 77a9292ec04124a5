-- Each lane has its limits, those that the queue gives it or its own; an alert may be about one lane.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_queues (name, lane_concurrency) values ('reports', 1);
insert into messenger_queues (name, rate_limit, rate_period_ms) values ('mail/fast', 1, 86400000);
select test.alert('queue_limited', '{"window_ms":600000}');
select test.dispatch_many(2, q) from unnest(array['reports/acme', 'mail/fast']) as q;
select messenger_dispatch('Later', queue => 'reports', lane => 'later', delay => interval '1 day');
select test.claim(test.token(1), slots => 10, lease_ms => 86400000);

select is(test.checked_alert(), 'resolved', 'two lanes are limited from now on');
select test.set_clock('2026-01-01 12:10Z');
select is(test.checked_alert(), 'firing', 'for the whole window');
select is(
  (select array(select jsonb_object_keys(memory) order by 1) from messenger_alerts where memory is not null),
  array['mail/fast', 'reports/acme'], 'each by its name'
);
select messenger_set_queue('reports/acme', '{"concurrency":2}');
select is(test.checked_alert(), 'firing', 'one has room again');
select is((select subject from messenger_alerts where memory is not null), 'mail/fast', 'the other is named');
update messenger_queues set paused = true where name = 'mail/fast';
select is(test.checked_alert(), 'cooling_down', 'a lane that is paused waits for its operator');

update messenger_queues set paused = false where name = 'mail/fast';
select lives_ok(
  format($$select messenger_create_alert('long', 'queue_limited', '{"queue":"reports/%s"}')$$, repeat('%20', 100)),
  'an alert takes the longest name of a lane'
);
select messenger_create_alert('fast', 'queue_limited', '{"queue":"mail/fast"}'),
  messenger_create_alert('all', 'queue_limited', '{"queue":"mail"}'), messenger_create_alert('other', 'queue_limited', '{"queue":"reports"}');
select messenger_check_alerts();
select bag_eq(
  $$select name from messenger_alerts where memory is not null and name in ('fast', 'all', 'other')$$, $$values ('fast'), ('all')$$,
  'an alert about a queue or a lane looks at nothing else'
);

-- More lanes than a check could ask one by one.
insert into messenger_messages (type, queue, status, heartbeated, lease_token, leased_until, attempts)
select 'Runs', 'busy/l' || n, 'processing', true, test.token(9), '2027-01-01', 1 from generate_series(1, 2000) as n;
update messenger_queues set lane_concurrency = 2 where name = 'busy';
select cmp_ok(
  test.rows_read_by($$select messenger_check_alerts()$$), '<', 60000::bigint, 'a check reads a bounded number of rows'
);

select * from finish();
rollback;
