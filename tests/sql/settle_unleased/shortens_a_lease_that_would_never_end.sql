-- An edit in the table editor, or a clock that was set back, leaves a lease that no sweep would ever see end.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B', 'C', 'D');
select test.claim(test.token(1), 1), test.claim(test.token(2), 1), test.claim(test.token(3), 1), test.claim(test.token(4), 1);
update messenger_messages set leased_until = 'infinity' where type = 'A';
update messenger_messages set leased_until = '2126-01-01Z' where type = 'B';
update messenger_messages set leased_until = 'infinity' where type = 'C';
update messenger_messages set leased_until = messenger_now() + interval '24 hours' where type = 'D';
update messenger.leases set leased_until = 'infinity' where token = test.token(2);
delete from messenger.leases where token = test.token(3);

select is(messenger.settle_unleased(), 0, 'none is given back: a worker may still run it');
select results_eq(
  'select type, status, leased_until, attempts from messenger_messages order by type',
  $$values ('A', 'processing', '2026-01-01 12:01Z'::timestamptz, 1), ('B', 'processing', '2026-01-01 12:01Z', 1),
    ('C', 'processing', '2026-01-01 12:01Z', 1), ('D', 'processing', '2026-01-02 12:00Z', 1)$$,
  'those leases end in a minute; one of a day is as long as a lease may be'
);
select is(
  (select array_agg(leased_until order by token) from messenger.leases where token in (test.token(1), test.token(2))),
  array['2026-01-01 12:01Z', '2026-01-01 12:01Z']::timestamptz[], 'and a sweep looks at them then'
);
select is(
  messenger_heartbeat(jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', test.ids('A')))),
  '{"lost": [], "cancelled": []}', 'a worker that runs one keeps it'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'handled', test.ids('A')))),
  '{"stale": []}', 'and settles it'
);

select test.set_clock('2026-01-01 12:02Z');
select is(
  (messenger_claim(test.token(5)) -> 'crashed' -> 0 ->> 1), 'B', 'a sweep finds the message of a worker that is gone'
);
select is(messenger.settle_unleased(), 1, 'and this function the one that no lease names');
select is(
  (select status from messenger_messages where type = 'C'), 'pending', 'which runs again'
);

select * from finish();
rollback;
