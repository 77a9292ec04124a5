begin;
select plan(2);

select throws_like(
  $$select messenger_enqueue_body('{"type":"T","priority":"x","payloads":[{"a":1}]}')$$,
  '%priority: has to be%', 'a wrong value of a common field is named'
);
select is((select count(*) from messenger_messages), 0::bigint, 'and nothing is written');

select * from finish();
rollback;
