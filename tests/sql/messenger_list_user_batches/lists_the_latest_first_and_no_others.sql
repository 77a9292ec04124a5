begin;
select plan(9);
insert into messenger_batches (name, user_id)
values ('a', 'ann'), ('b', 'bob'), ('c', 'ann'), ('d', null), ('e', 'ann');
create function pg_temp.names(answer jsonb) returns text[] language sql as $$
  select array(select b ->> 'name' from jsonb_array_elements(answer -> 'batches') as b)
$$;
create function pg_temp.next(answer jsonb) returns bigint language sql as $$ select (answer ->> 'next')::bigint $$;

select is(pg_temp.names(messenger_list_user_batches('ann')), '{e,c,a}', 'the latest first, of one user');
select is(messenger_list_user_batches('ann') -> 'next', 'null', 'there are no more');
select is(
  messenger_list_user_batches('bob') -> 'batches' -> 0,
  messenger_follow_batch((select id from messenger_batches where name = 'b')),
  'each as messenger_follow_batch returns it'
);
select is(pg_temp.names(messenger_list_user_batches('ann', max_batches => 2)), '{e,c}', 'a page');
select is(
  messenger_list_user_batches('ann', pg_temp.next(messenger_list_user_batches('ann', max_batches => 2)), 1)
    - 'batches',
  '{"next": null}', 'the last page says so, though it is full'
);
select is(
  pg_temp.names(
    messenger_list_user_batches('ann', pg_temp.next(messenger_list_user_batches('ann', max_batches => 2)))
  ),
  '{a}', 'and the next one continues behind it'
);
select is(messenger_list_user_batches('cay'), '{"batches": [], "next": null}', 'of one who has none');
select is(messenger_list_user_batches(null), '{"batches": [], "next": null}', 'of no user');

insert into messenger_batches (name, user_id)
select 'x', case when n % 100 = 0 then 'ann' else 'bob' end from generate_series(1, 20000) as n;
select cmp_ok(
  test.rows_read_by($$select messenger_list_user_batches('ann', max_batches => 20)$$, 'messenger_batches'),
  '<', 500::bigint, 'a page reads none of the batches of others'
);
select * from finish();
rollback;
