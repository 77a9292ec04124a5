-- A retry keeps its place; the other running message is followed by the next.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

update messenger_queues set group_concurrency = 2;
select test.dispatch_to_group('g', 'A', 'B', 'C', 'D');
select is(test.claimed(1), array['A', 'B'], 'the first two');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'grouped', true, 'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A'), 'delay_ms', 30000, 'retry_count', 1
  ))
)));
select is(test.claimed(2), '{}', 'the place of a retry is not given to another');
select test.handle(1, 'B');
select is(test.claimed(3), array['C'], 'that of one that is done is');
select test.set_clock('2026-01-01 12:00:30Z');
select is(test.claimed(4), array['A'], 'the retry runs beside it');
select test.handle(3, 'C');
select is(test.claimed(5), array['D'], 'and so on');

select * from finish();
rollback;
