-- Called by every claim that finds nothing, so a backlog for tomorrow must not cost.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, priority, available_at)
select 'future', n % 5, messenger_now() + interval '1 day' from generate_series(1, 20000) as n;
select cmp_ok(
  test.rows_read_by($$select messenger.next_due(array['default'])$$), '<', 100::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select messenger.next_due(array['default'])$$), '<', 100::bigint,
  'with statistics'
);

select * from finish();
rollback;
