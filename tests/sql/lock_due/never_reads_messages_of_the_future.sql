-- However many wait for their time in front of, among and behind those that are due.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, priority, available_at)
select 'future', n % 5, messenger_now() + interval '1 day' from generate_series(1, 20000) as n;
insert into messenger_messages (type, priority, available_at)
select 'due', n % 3, messenger_now() from generate_series(1, 30) as n;

select cmp_ok(
  test.rows_read_by($$select messenger.lock_due('default', 100)$$), '<', 1000::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select messenger.lock_due('default', 100)$$), '<', 1000::bigint,
  'with statistics'
);
create temp table due as
  select unnest(test.types_at(messenger.lock_due('default', 100))) as type;
select results_eq(
  'select type, count(*) from due group by 1', $$values ('due', 30::bigint)$$,
  'all that is due is found, and nothing else'
);

select * from finish();
rollback;
