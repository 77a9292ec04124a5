-- A row of messenger_queues says what was set; messages without one are claimed as any others.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', queue => 'mail'), messenger_dispatch('B', queue => 'mail', delay => '1 hour');
alter table messenger_queues disable trigger user;
delete from messenger_queues where name = 'mail';
select is(messenger.has_due(), true, 'a tick would have work');
select is(test.claimed(1), array['A'], 'a claim finds it');
select is(
  test.claim(test.token(2)) -> 'next_due_at', to_jsonb('2026-01-01 13:00Z'::timestamptz),
  'and knows when the next one is due'
);
select test.set_clock('2026-01-01 12:02Z');
select is(
  test.types(test.claim(test.token(3)) -> 'crashed'), array['A'], 'a sweep finds it as well'
);

select * from finish();
rollback;
