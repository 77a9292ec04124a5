-- 6,000 lanes have used up their rates and hold due messages. Only the first claim reads each of them.
begin;
select plan(14);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, lane_rate_limit, lane_rate_period_ms) values ('reports', 1, 86400000);
insert into messenger_messages (type, queue, available_at)
select 'Held', 'reports/a' || lpad(n::text, 5, '0'), messenger_now() - interval '1 day' from generate_series(1, 6000) n;
insert into messenger.start_grants (queue, starts_by, messages)
select 'reports/a' || lpad(n::text, 5, '0'), messenger_now() - n * interval '1 second', 1 from generate_series(1, 6000) n;

select is(test.claim(test.token(1)) -> 'messages', '[]', 'where no lane has a start, a claim gives none');
select cmp_ok(test.rows_read_by('select test.claim(test.token(2))'), '<', 500::bigint, 'the next claim reads few messages');
select cmp_ok(
  test.rows_read_by('select test.claim(test.token(3))', 'messenger.start_grants'), '<', 500::bigint, 'and few grants'
);
select cmp_ok(test.rows_read_by('select messenger.next_due()'), '<', 500::bigint, 'as does a poll for what is due next');
select is(messenger.next_due(), '2026-01-02 10:20Z'::timestamptz, 'which finds when the first lane has a start again');

insert into messenger_messages (type, queue, available_at) values ('New', 'reports/b', messenger_now() - interval '2 days');
select is(messenger.next_due(), messenger_now() - interval '2 days', 'a message of a lane that has a start is due');
select is(test.types(test.claim(test.token(4)) -> 'messages'), array['New'], 'and the first claim gives it');
select is(test.claim(test.token(5)) -> 'messages', '[]', 'once');

insert into messenger_queues (name, rate_limit, rate_period_ms) values ('reports/a03000', 2, 86400000);
select is(
  test.claim(test.token(6)) #>> '{messages,0,queue}', 'reports/a03000', 'a lane that gets a row with a larger rate has its turn'
);
insert into messenger_queues (name, rate_limit, rate_period_ms) values ('reports/a04000', 1, 86400000);
update messenger_queues set rate_limit = 2 where name = 'reports/a04000';
select is(test.claim(test.token(7)) #>> '{messages,0,queue}', 'reports/a04000', 'so has one whose rate is raised');

update messenger_queues set lane_rate_limit = 2 where name = 'reports';
select is(messenger.next_due(), messenger_now() - interval '1 day', 'where the rate of all lanes is raised, all are due');
select is(jsonb_array_length(test.claim(test.token(8), 100) -> 'messages'), 100, 'and a claim is full');

update messenger_queues set lane_rate_limit = 1 where name = 'reports';
select is(test.claim(test.token(9)) -> 'messages', '[]', 'where it is lowered, none is');
select test.set_clock('2026-01-02 10:21Z');
select is(
  jsonb_array_length(test.claim(test.token(10), 100) -> 'messages'), 61, 'each lane has its turn when its start comes back'
);

select * from finish();
rollback;
