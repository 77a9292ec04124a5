-- A queue of workers: claims without its name, dispatches and ticks leave it alone.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger_run_on_workers('{heavy,heavy}'), 1, 'it is made');
select is(messenger_run_on_workers('{heavy}'), 0, 'once');
select messenger_dispatch('A', queue => 'heavy');
select is_empty('select id from messenger_ticks', 'a dispatch asks for no tick');
select is(
  json_array_length(messenger_claim(test.token(1)) -> 'messages'), 0, 'a claim without names passes it over'
);
select is(messenger.next_due(), null, 'and nothing is due for it');
select is(
  json_array_length(messenger_claim(test.token(2), queues => '{heavy}') -> 'messages'), 1,
  'a claim by its name takes its messages'
);
select test.set_clock('2026-01-01 12:02Z');
select is(
  json_array_length(messenger_claim(test.token(3)) -> 'crashed'), 1,
  'a sweep without names finds the lease that ran out'
);
select throws_ok(
  $$select messenger_start_tick(queues => '{heavy,default}')$$, 'PT400',
  'queues: heavy runs on workers, and no tick serves it; start one: symphony-messenger worker --queues heavy',
  'a tick by its name is refused'
);
select throws_ok(
  $$select messenger_run_on_workers('{default}')$$, 'PT400',
  'queues: has to be a list of names without default, which ticks serve', 'default is the ticks'''
);

select * from finish();
rollback;
