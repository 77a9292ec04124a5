-- A page of queues, and queues that are named, among many.
begin;
select plan(4);

insert into messenger_queues (name) select 'q' || lpad(n::text, 6, '0') from generate_series(1, 20000) n;
analyze messenger_queues;
select is(
  (select jsonb_agg(q -> 'name') from jsonb_array_elements(
    messenger_list_queues(names => array['q000100', 'q015000', 'none', 'q000100']) -> 'queues'
  ) as q), '["q000100", "q015000"]', 'queues that are named come once, by name'
);
select is(
  (select jsonb_agg(q -> 'name') from jsonb_array_elements(
    messenger_list_queues(name => 'q000100', names => array['q000100', 'q015000']) -> 'queues'
  ) as q), '["q000100"]', 'one name holds beside several'
);
select cmp_ok(
  test.rows_read_by(
    $$select messenger_list_queues(names => array(select 'q' || lpad(n::text, 6, '0') from generate_series(1, 19900, 100) n))$$,
    'messenger_queues'
  ), '<', 2000::bigint, 'two hundred that are named are read by their names'
);
select cmp_ok(
  test.rows_read_by($$select messenger_list_queues(after_name => 'q010000')$$, 'messenger_queues'),
  '<', 500::bigint, 'a page reads its own queues'
);

select * from finish();
rollback;
