-- A worker may ask for some queues only, and a queue may be paused.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('mail', queue => 'mail'), messenger_dispatch('A');
select test.claim(test.token(1));
select test.set_clock('2026-01-01 12:01Z');
select is(test.types_at(messenger.lock_expired(array['default'])), array['A'], 'what is in the queue');
select results_eq(
  'select queues, open, ids from messenger.leases',
  $$select array['mail'], 1, array[test.id_of('mail')]$$, 'the other stays named'
);
select is(messenger.lock_expired(array['default', 'else']), '{}', 'it is not looked at');
select is(messenger.lock_expired('{}'), '{}', 'nor where nothing is asked for');

update messenger_queues set paused = true where name = 'mail';
select test.set_clock('2026-01-02 12:00Z');
select test.claim(test.token(2)), test.claim(test.token(3));
update messenger_queues set paused = false where name = 'mail';
create temp table locked as select messenger.lock_expired(array['mail', 'default']) as places;
select is((select test.types_at(places) from locked), array['mail'], 'it is found a day later');
select is_empty(
  $$select * from messenger.leases where token = test.token(1)$$, 'and the lease goes'
);

select * from finish();
rollback;
