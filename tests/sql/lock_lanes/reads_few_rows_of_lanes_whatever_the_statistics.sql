-- Statistics may be of a time when there was hardly a queue, and a plan that is kept may be as old.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, paused) select 'reports/a' || lpad(n::text, 5, '0'), true from generate_series(1, 6000) n;
insert into messenger_queues (name, concurrency) values ('mail', 5);
insert into messenger_messages (type, queue, available_at)
select 'Held', 'reports/a' || lpad(n::text, 5, '0'), messenger_now() - interval '1 day' from generate_series(1, 6000) n;
select test.dispatch('Other');
update pg_class set reltuples = case relkind when 'r' then 1 else reltuples end, relpages = case relkind when 'r' then 400 else 50 end
where oid = 'public.messenger_queues'::regclass
  or oid in (select indexrelid from pg_index where indrelid = 'public.messenger_queues'::regclass);

select is(test.types(test.claim(test.token(1)) -> 'messages'), array['Other'], 'a claim reads all lanes');
select cmp_ok(
  test.rows_read_by('select test.claim(test.token(2))', 'public.messenger_queues'), '<', 500::bigint, 'the next reads few of their rows'
);
select cmp_ok(
  test.rows_read_by('select messenger.next_due()', 'public.messenger_queues'), '<', 500::bigint, 'as does a poll for what is due next'
);
select test.set_clock('2026-01-01 12:10Z');
select cmp_ok(
  test.rows_read_by('select messenger.locked_others(array(select ctid from messenger_messages where type = ''Other''), ''{}'')', 'public.messenger_queues'),
  '<', 500::bigint, 'and a sweep of a crashed message'
);

select * from finish();
rollback;
