-- 20,000 messages run under 20 leases, and 200 messages of another lease expired. It takes nothing else,
-- so that what it reads is read by the sweep.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(200, type => 'expired');
select test.claim(test.token(100), 200, lease_ms => 1000);
select test.dispatch_many(20000);
do $$
declare
  keys jsonb;
begin
  for worker in 101..120 loop
    keys := test.claim(test.token(worker), 1000, lease_ms => 3600000, last_keys => keys) -> 'last_keys';
  end loop;
end
$$;
select test.set_clock('2026-01-01 12:01Z');

create temp table sweeps (answer jsonb);
select cmp_ok(
  test.rows_read_by($$insert into sweeps select test.claim(test.token(2), 0)$$), '<', 1000::bigint,
  'without statistics'
);
analyze messenger_messages, messenger.leases;
select cmp_ok(
  test.rows_read_by($$insert into sweeps select test.claim(test.token(3), 0)$$), '<', 1000::bigint,
  'with statistics'
);
select results_eq(
  $$select type, count(*) from sweeps, unnest(test.types(answer -> 'crashed')) as t (type)
    group by 1$$,
  $$values ('expired', 200::bigint)$$,
  'and both find what expired, a hundred each'
);
select is(
  (select count(*) from messenger_messages where leased_until = '2026-01-01 13:00Z'), 20000::bigint,
  'while the others run on'
);

select * from finish();
rollback;
