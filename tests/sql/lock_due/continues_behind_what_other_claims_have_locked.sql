-- A claim skips the locked rows of other claims at once, not row by row, though these have not committed.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
-- The message that a claim of this size locks first when it continues behind this message.
create function pg_temp.first_behind(type text, size integer, queue text default 'default')
returns text language sql as $$
  select (test.types_at(messenger.lock_due(queue, size, (
    select jsonb_build_array(m.priority, m.available_at, m.id::text)
    from messenger_messages m where m.type = first_behind.type
  ))))[1]
$$;
insert into messenger_messages (type, queue, available_at)
select 'M' || n, case when n <= 500 then 'default' else 'other' end, messenger_now()
from generate_series(1, 600) as n;

select is((test.types_at(messenger.lock_due('default', 100)))[1], 'M1', 'a claim takes M1 to M100');
select is(pg_temp.first_behind('M10', 100), 'M101', 'another that continues behind M10 begins behind those');
select is(pg_temp.first_behind('M10', 99), 'M11', 'a small one looks for itself');
select is(
  (test.types_at(messenger.lock_due('default', 100)))[1], 'M1', 'and so does a scan from the head'
);
select is(pg_temp.first_behind('M150', 100), 'M151', 'a front before its own key is none');
select is(pg_temp.first_behind('M510', 100, 'other'), 'M511', 'nor is that of another queue');
delete from messenger_messages m where m.type = 'M250';
select is(pg_temp.first_behind('M10', 100), 'M11', 'nor one whose message is gone');

select * from finish();
rollback;
