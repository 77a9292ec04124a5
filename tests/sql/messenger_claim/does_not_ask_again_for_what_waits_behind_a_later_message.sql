-- A dead letter of a group is redriven while a later one of its group runs.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C');
select test.claimed(1);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'grouped', true,
  'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('A'), 'reason', 'exhausted'))
)));
select is(test.claimed(2), array['B'], 'the next one runs');
select messenger_redrive("all" => true);
select is(test.claimed(3), '{}', 'the first one waits for it');
select is(
  messenger.next_due(array['default']), null, 'no worker asks for it meanwhile'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(2), 'grouped', true, 'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('B'), 'delay_ms', 3600000, 'retry_count', 1
  ))
)));
select is(test.claimed(4), array['A'], 'it goes as soon as the later one waits for a retry');
select test.handle(4, 'A');
select is(
  messenger.next_due(array['default']), '2026-01-01 13:00Z'::timestamptz,
  'which is the first of its group again'
);

select * from finish();
rollback;
