begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.new(cursor jsonb, since timestamptz default '2026-01-01', max integer default 10) returns bigint[]
language sql as $$ select array(select id from messenger.new_events('x', cursor, since, max)) $$;
create function pg_temp.cursor(id bigint, snapshot text, seen jsonb default '[]') returns jsonb
language sql as $$ select jsonb_build_object('id', id::text, 'snapshot', snapshot, 'seen', seen) $$;

-- Transactions 10 and 12 were committed when the message looked, 11 was not.
insert into messenger_events (id, event, created_at, xid) overriding system value values
  (1, 'x', '2025-12-31 23:00Z', '10'), (2, 'x', '2026-01-01 01:00Z', '11'), (3, 'other', '2026-01-01 02:00Z', '11'),
  (4, 'x', '2026-01-01 03:00Z', '12'), (5, 'x', '2026-01-01 04:00Z', '13');

select is(pg_temp.new(null), array[2, 4, 5]::bigint[], 'at first, the events of the key since a moment');
select is(pg_temp.new(null, '2025-12-31'), array[1, 2, 4, 5]::bigint[], 'which may lie before');
select is(pg_temp.new(null, max => 2), array[2, 4]::bigint[], 'a bounded number, in order');
select is(pg_temp.new(pg_temp.cursor(4, '20:20:')), array[5]::bigint[], 'then those behind the last one it saw');
select is(pg_temp.new(pg_temp.cursor(4, '11:13:11')), array[2, 5]::bigint[], 'and those that were committed late');
select is(pg_temp.new(pg_temp.cursor(4, '11:13:11', '["2"]')), array[5]::bigint[], 'each once');
select is(pg_temp.new(pg_temp.cursor(5, '11:14:11', '["2"]')), '{}', 'until there is none');
select is(pg_temp.new(pg_temp.cursor(0, '20:20:')), array[1, 2, 4, 5]::bigint[], 'a cursor counts more than a moment');

update messenger_events set xid = '9000000000000' where id = 1;
select is(
  pg_temp.new(pg_temp.cursor(5, '20:20:')), '{}', 'a transaction of another server is no late one'
);

select * from finish();
rollback;
