begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch(t, delay => interval '1 day') from unnest(array['A', 'B', 'C']) as t;
select test.dispatch('Due');
insert into messenger.waits select 'x', m.id from messenger_messages m;
insert into messenger.waits values ('y', test.id_of('A')), ('x', 9000000);

select is(
  messenger.wake_waiters('x', 0, null, 2), (2, test.id_of('B')), 'it takes some at a time, and tells behind which to continue'
);
select is(
  messenger.wake_waiters('x', test.id_of('B'), null, 2), (1, null::bigint), 'until none is left'
);
select is(
  (select array_agg(type order by id) from messenger_messages where available_at <= messenger.clock()),
  array['A', 'B', 'C', 'Due'], 'all are due'
);
select is(
  (select array_agg(message_id order by message_id) from messenger.waits),
  array[test.id_of('Due'), 9000000], 'they wait for no other key either'
);
select is(messenger.wake_waiters('none', 0, null, 100), (0, null::bigint), 'a key for which none waits wakes none');

select messenger_dispatch(t, delay => interval '1 day') from unnest(array['E', 'F']) as t;
insert into messenger.waits values ('z', test.id_of('E')), ('z', test.id_of('F'));
select is(
  messenger.wake_waiters('z', test.id_of('F') - 1, test.id_of('F'), 2), (1, null::bigint), 'one message can be meant'
);
select is((select available_at from messenger_messages where type = 'E'), '2026-01-02 12:00Z'::timestamptz, 'and no other wakes');

update messenger_messages set status = 'processing', lease_token = test.token(1), leased_until = '2026-01-03'
where type = 'E';
select is(messenger.wake_waiters('z', 0, null, 100), (0, null::bigint), 'a running message reads the event itself');

select * from finish();
rollback;
