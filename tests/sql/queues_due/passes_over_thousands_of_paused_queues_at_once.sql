-- 3,000 queues are paused and hold messages; one before them and one between them are open.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, paused) select 'p' || lpad(n::text, 5, '0'), n <> 2000 from generate_series(1, 3000) n;
insert into messenger_queues (name, paused) values ('p02500', true) on conflict do nothing;
insert into messenger_messages (type, queue, available_at)
select 'Held', 'p' || lpad(n::text, 5, '0'), messenger_now() - interval '1 day' from generate_series(1, 3000) n where n <> 2000;
insert into messenger_messages (type, queue, available_at)
select 'Held', 'p02500/lane', messenger_now() - interval '1 day' from generate_series(1, 3);
insert into messenger_messages (type, queue, available_at) values
  ('First', 'open', messenger_now()), ('Between', 'p02000', messenger_now()), ('Lane', 'p02000/a', messenger_now()),
  ('Last', 'q', messenger_now());

select cmp_ok(test.rows_read_by('select * from messenger.queues_due()'), '<', 300::bigint, 'claims read few messages');
select cmp_ok(
  test.rows_read_by('select * from messenger.queues_due()', 'public.messenger_queues'), '<', 300::bigint, 'and few rows of queues'
);
select set_eq(
  $$select queue, in_lanes from messenger.queues_due() where queue not in (select name from messenger_queues where paused)$$,
  $$values ('open', false), ('p02000', false), ('p02000', true), ('q', false)$$, 'and find all open queues'
);
select cmp_ok(test.rows_read_by('select messenger.next_due()'), '<', 300::bigint, 'a poll reads few messages');
select is(messenger.next_due(), messenger_now(), 'and finds one that is due');
select set_eq(
  $$select unnest(test.types(test.claim(test.token(1)) -> 'messages'))$$, array['First', 'Between', 'Lane', 'Last'],
  'a claim takes them all'
);
update messenger_queues set paused = false where name = 'p00700';
select is(messenger.next_due(), messenger_now() - interval '1 day', 'a queue that is resumed is found');
select is(test.claim(test.token(2)) #>> '{messages,0,queue}', 'p00700', 'and claimed');

select * from finish();
rollback;
