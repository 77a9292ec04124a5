-- One message at a time, in turns by weight; queues with limits where nothing is due cost no lock.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, weight, concurrency)
select 'tenant' || n, 1 + n % 1000, 1 from generate_series(1, 5000) as n;
select is(
  (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), 0::bigint,
  'no lock yet'
);
select test.claim(test.token(1), 1);
select is(
  (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), 0::bigint,
  'nor after a claim that found nothing'
);
insert into messenger_messages (type, queue, available_at)
select 'A', 'tenant' || n, messenger_now() from generate_series(1, 5000) as n;
select is(
  jsonb_array_length(test.claim(test.token(2), 1) -> 'messages'), 1, 'one message'
);
select is(
  jsonb_array_length(test.claim(test.token(3), 50) -> 'messages'), 50, 'fifty, of as many queues'
);

select * from finish();
rollback;
