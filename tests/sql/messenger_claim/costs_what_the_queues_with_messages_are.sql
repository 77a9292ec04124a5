-- 10,000 queues, of which 100 hold messages.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.queues_read_by(statement text) returns bigint language sql as $$
  select test.rows_read_by(statement, 'public.messenger_queues')
$$;

insert into messenger_queues (name, max_workers) select 'tenant' || n, 1 + n % 2 from generate_series(1, 10000) n;
analyze messenger_queues;
insert into messenger_messages (type, queue, available_at)
select 'A', 'tenant' || n % 100, messenger_now() - interval '1 minute' from generate_series(1, 5000) n;

select cmp_ok(
  pg_temp.queues_read_by($$select test.claim(test.token(1), 20)$$), '<', 1000::bigint,
  'a claim reads the settings of those'
);
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2), 20)$$), '<', 2000::bigint,
  'and the first messages of each'
);
select cmp_ok(
  pg_temp.queues_read_by($$select messenger.next_due()$$), '<', 1000::bigint,
  'a search for what is due next reads no others'
);
select cmp_ok(
  pg_temp.queues_read_by($$select messenger.fleet_size()$$), '<', 2000::bigint,
  'nor does the size of the fleet'
);
select cmp_ok(
  pg_temp.queues_read_by($$select messenger_start_tick()$$), '<', 3000::bigint, 'nor a tick that starts'
);
select cmp_ok(
  pg_temp.queues_read_by($$select messenger_dispatch('B', queue => 'tenant7')$$), '<', 10::bigint,
  'a dispatch reads one'
);
update messenger_queues set paused = true where name ~ '[5-9]$';
select cmp_ok(
  pg_temp.queues_read_by($$select messenger_dispatch('B', queue => 'tenant7')$$), '<', 10::bigint,
  'also where thousands are paused'
);
select cmp_ok(
  pg_temp.queues_read_by($$select test.claim(test.token(3), 20)$$), '<', 1000::bigint,
  'as does a claim'
);
select is(
  (select count(*) from jsonb_array_elements(test.claim(test.token(4), 500) -> 'messages') as m
    where m ->> 'queue' ~ '[5-9]$'),
  0::bigint, 'which gives nothing of a queue that is paused'
);

select * from finish();
rollback;
