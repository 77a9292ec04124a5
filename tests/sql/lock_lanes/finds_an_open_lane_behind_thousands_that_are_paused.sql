-- 20,000 lanes are paused, and their messages have waited for longest. The other lanes have messages of tomorrow, but
-- for one, whose name comes last.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
set local track_functions = 'all';
create function pg_temp.lanes_asked() returns bigint language sql as $$
  select coalesce(sum(calls), 0)::bigint from pg_stat_xact_user_functions where funcname = 'to_due_lane'
$$;

insert into messenger_queues (name, paused)
select 'reports/a' || lpad(n::text, 5, '0'), true from generate_series(1, 20000) n;
insert into messenger_messages (type, queue, available_at)
select 'T', 'reports/a' || lpad(n::text, 5, '0'), messenger_now() - interval '1 day' from generate_series(1, 20000) n;
insert into messenger_messages (type, queue, available_at)
select 'T', 'reports/b' || lpad(n::text, 5, '0'), messenger_now() + interval '1 day' from generate_series(1, 20000) n;

select is(test.claim(test.token(1)) -> 'messages', '[]', 'where none is open, a claim gives none');
select is(messenger.next_due(), messenger_now() + interval '1 day', 'and the next one is that of another lane');
select cmp_ok(pg_temp.lanes_asked(), '<', 1500::bigint, 'lanes that are paused are not looked at one by one');

insert into messenger_messages (type, queue, available_at)
values ('T', 'reports/z', messenger_now() - interval '1 minute');
select is(messenger.next_due() <= messenger_now(), true, 'a message of an open lane is due');
select is(
  test.claim(test.token(2)) #>> '{messages,0,queue}', 'reports/z', 'and the first claim gives it'
);

select * from finish();
rollback;
