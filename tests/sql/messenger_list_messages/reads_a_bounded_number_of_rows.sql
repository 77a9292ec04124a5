-- A filter that means few rows of many gives short pages, each of them quickly.
begin;
select plan(7);
select test.dispatch('Rare');
select test.dispatch_many(5000);

select cmp_ok(
  test.rows_read_by('select messenger_list_messages()'), '<', 100::bigint, 'a page of all'
);
select cmp_ok(
  test.rows_read_by($$select messenger_list_messages(type => 'Rare', max_scanned => 1000)$$),
  '<=', 2100::bigint, 'a page of few'
);
select cmp_ok(
  test.rows_read_by($$select messenger_list_messages(status => 'processing')$$), '<', 100::bigint,
  'nothing where nothing runs'
);
select test.claim(test.token(worker), 5) from generate_series(1, 2) as worker;
create temp table running (answer jsonb);
select cmp_ok(
  test.rows_read_by(
    $$insert into running select messenger_list_messages(status => 'processing')$$
  ),
  '<', 100::bigint, 'what runs is found by its leases'
);
select is((select jsonb_array_length(answer -> 'messages') from running), 10, 'all of it');
create temp table page as
select messenger_list_messages(type => 'Rare', max_scanned => 3000) as answer;
select is((select answer -> 'messages' from page), '[]', 'short, with a next');
select is(
  test.types(
    messenger_list_messages(
      type => 'Rare', max_scanned => 3000,
      before_id => (select (answer ->> 'next')::bigint from page)
    ) -> 'messages'
  ),
  array['Rare'], 'that continues where it ended'
);

select * from finish();
rollback;
