-- The next minute's tick comes at most 65 seconds later, and sees to what is due then.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at) values
  ('soon', '2026-01-01 12:00:02Z'), ('later', '2026-01-01 13:00Z');
select is((select count(*) from messenger_ticks), 1::bigint, 'one falls due soon');

select messenger_rest_tick(
  (select id from messenger_ticks), '{}', left_ms => 40000
) -> 'rested';
update messenger_ticks set started_at = clock_timestamp(), heartbeat_at = clock_timestamp();
insert into messenger_messages (type, available_at) values ('next', '2026-01-01 12:00:03Z');
select is((select count(*) from messenger_ticks), 1::bigint, 'one that waits for an earlier moment is there');

select * from finish();
rollback;
