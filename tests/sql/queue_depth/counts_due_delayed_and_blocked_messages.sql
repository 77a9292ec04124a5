begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, queue, priority, available_at, group_key, blocked, quarantined) values
  ('A', 'q', 0, '2026-01-01 11:00Z', null, false, false),
  ('A', 'q', 9, '2026-01-01 11:30Z', null, false, false),
  ('A', 'q', -9, '2026-01-01 10:00Z', null, false, false),
  ('A', 'q', 9, '2026-01-01 13:00Z', null, false, false),
  ('A', 'q', 0, '2026-01-01 09:00Z', null, false, true),
  ('A', 'other', 0, '2026-01-01 09:00Z', null, false, false);
insert into messenger_messages (type, queue, available_at, group_key) values
  ('A', 'q', '2026-01-01 11:00Z', 'g'), ('A', 'q', '2026-01-01 11:00Z', 'g');
update messenger_messages set blocked = true
where id = (select max(id) from messenger_messages where group_key = 'g');

select is(
  messenger.queue_depth('q') - 'oldest_ready_at',
  '{"due":{"count":4,"capped":false},"delayed":{"count":1,"capped":false},
    "blocked":{"count":1,"capped":false}}',
  'of every priority, of this queue only, those that run alone left aside'
);
select is(
  (messenger.queue_depth('q') ->> 'oldest_ready_at')::timestamptz, '2026-01-01 10:00Z'::timestamptz,
  'the oldest may have the lowest priority'
);

select * from finish();
rollback;
