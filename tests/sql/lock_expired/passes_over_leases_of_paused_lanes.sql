-- More leases that ran out in a paused lane than a sweep looks at, and one of another lane behind them.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, status, lease_token, leased_until, attempts)
select 'Held', 'reports/held', 'processing', test.token(n), '2026-01-01 11:00Z', 1 from generate_series(10, 1509) as n;
insert into messenger.leases (token, leased_until, queues, ids, open)
select m.lease_token, m.leased_until, '{reports}', array[m.id], 1 from messenger_messages m;
insert into messenger_queues (name, paused) values ('reports/held', true);
select messenger_dispatch('Other', queue => 'reports', lane => 'other');
select test.claim(test.token(1), lease_ms => 1000, sweep => false);
select test.set_clock('2026-01-01 12:01Z');
create temporary table found (types text[]);
insert into found select test.types_at(messenger.lock_expired()) from generate_series(1, 2);
select is((select array_agg(t) from found, unnest(types) as t), array['Other'], 'two sweeps reach the other lane');
select cmp_ok(
  test.rows_read_by($$select messenger.lock_expired()$$), '<', 2500::bigint, 'later ones read the leases and no message'
);
select is(messenger.lock_expired(array['reports/held']), '{}', 'nor is a lane swept that is named');
update messenger_queues set paused = false where name = 'reports/held';
select is(cardinality(messenger.lock_expired()), 100, 'until it is resumed');

select * from finish();
rollback;
