begin;
select plan(3);
insert into messenger_actions (actor, action, affected)
select 'ada', 'a' || n, n from generate_series(1, 5) as n;

create temp table first as select messenger_list_actions(max_actions => 2) as page;
select is(
  (select array(select a ->> 'action' from jsonb_array_elements(page -> 'actions') as a) from first),
  array['a5', 'a4'], 'the latest first'
);
select is(
  (
    select array(select a ->> 'action' from jsonb_array_elements(next.page -> 'actions') as a)
    from first, lateral (
      select messenger_list_actions((first.page ->> 'next')::bigint, 10) as page
    ) as next
  ),
  array['a3', 'a2', 'a1'], 'the next page continues'
);
select is(messenger_list_actions(max_actions => 10) -> 'next', 'null', 'the last page has no next');

select * from finish();
rollback;
