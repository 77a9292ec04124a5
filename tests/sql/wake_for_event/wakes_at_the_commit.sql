begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at)
select 'W', messenger_now() + interval '1 day' from generate_series(1, 101);
insert into messenger.waits select 'x', m.id from messenger_messages m;

select messenger_emit('x');
select is(
  (select count(*) from messenger_messages where available_at <= messenger.clock()), 0::bigint,
  'before the commit no message is touched'
);
select is(
  (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), 0::bigint, 'and no lock is held'
);
set constraints all immediate;
select is(
  (select count(*) from messenger_messages where available_at <= messenger.clock()), 100::bigint,
  'the commit wakes up to 100 messages'
);
select results_eq(
  'select event, message_id, after_id from messenger.event_notes',
  $$select 'x'::text, null::bigint, (select min(id) + 99 from messenger_messages)$$, 'and notes behind which the sweep continues'
);
select isnt_empty('select from messenger_ticks', 'a tick was asked for');
select is(
  messenger_start_tick() -> 'proceed', 'true', 'which finds something to do'
);
select is(messenger.wake_noted_waiters(), 2, 'the sweep wakes the last one, and removes the note');
select is_empty('select from messenger.waits', 'none waits any more');

select * from finish();
rollback;
