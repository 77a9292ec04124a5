begin;
select plan(3);
select test.dispatch_many(5000);
select test.claim(test.token(1), 10);

create temp table replies (answer jsonb);
select cmp_ok(
  test.rows_read_by($$insert into replies select messenger_list_queues(max_count => 20)$$),
  '<', 200::bigint, 'without statistics'
);
analyze messenger_messages, messenger.leases;
select cmp_ok(
  test.rows_read_by($$insert into replies select messenger_list_queues(max_count => 20)$$),
  '<', 200::bigint, 'with statistics'
);
select results_eq(
  $$select distinct answer #>> '{queues,0,processing,count}' from replies$$, $$values ('10')$$,
  'and finds it'
);

select * from finish();
rollback;
