-- The same key in two lanes is two groups; their width is the queue's.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A' || n, queue => 'reports', lane => l, group_key => 'g')
from generate_series(1, 3) as n, unnest(array['x', 'y']) as l order by n, l;
select is(
  test.types(test.claim(test.token(1), 10) -> 'messages'), array['A1', 'A1'], 'one message of each group'
);
select is(test.types(test.claim(test.token(2), 10) -> 'messages'), '{}', 'the others wait');
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'handled', (
  select jsonb_agg(m.id::text) from messenger_messages m where m.lease_token = test.token(1) and m.queue = 'reports/x'
))));
select results_eq(
  $$select m ->> 'type', m ->> 'queue' from jsonb_array_elements(test.claim(test.token(3), 10) -> 'messages') as m$$,
  $$values ('A2', 'reports/x')$$, 'the next one of the lane that is done'
);
update messenger_queues set group_concurrency = 2 where name = 'reports';
select is((select count(*) from messenger_messages where blocked), 1::bigint, 'a wider group opens in every lane');
select results_eq(
  $$select m ->> 'type', m ->> 'queue' from jsonb_array_elements(test.claim(test.token(4), 10) -> 'messages') as m
    order by 2$$,
  $$values ('A3', 'reports/x'), ('A2', 'reports/y')$$, 'and lets two of each run'
);
select results_eq(
  $$select messenger_list_messages(queue => 'reports', group_key => 'g') #>> '{messages,0,queue}'$$,
  $$values ('reports/y')$$, 'an operator finds the groups of all lanes'
);

select * from finish();
rollback;
