begin;
select plan(6);
select test.dead_letter('A', failed_at => '2026-01-01Z'), test.dead_letter('A', failed_at => '2026-01-03Z'),
  test.dead_letter('A', failed_at => '2026-01-04Z', error => 'timed out'),
  test.dead_letter('B', failed_at => '2026-01-05Z', queue => 'mail'),
  test.dead_letter('B', failed_at => '2026-01-06Z', reason => 'expired', error => null),
  test.dead_letter('B', failed_at => '2026-01-07Z', error => repeat('x', 2000));

select is(
  (select jsonb_agg(g - '{last_id,error}'::text[]) from jsonb_array_elements(messenger_group_failed() -> 'groups') as g),
  '[
    {"type":"A","count":2,"reason":"exhausted","first_failed_at":"2026-01-01T00:00:00+00:00","last_failed_at":"2026-01-03T00:00:00+00:00"},
    {"type":"B","count":1,"reason":"exhausted","first_failed_at":"2026-01-07T00:00:00+00:00","last_failed_at":"2026-01-07T00:00:00+00:00"},
    {"type":"B","count":1,"reason":"expired","first_failed_at":"2026-01-06T00:00:00+00:00","last_failed_at":"2026-01-06T00:00:00+00:00"},
    {"type":"B","count":1,"reason":"exhausted","first_failed_at":"2026-01-05T00:00:00+00:00","last_failed_at":"2026-01-05T00:00:00+00:00"},
    {"type":"A","count":1,"reason":"exhausted","first_failed_at":"2026-01-04T00:00:00+00:00","last_failed_at":"2026-01-04T00:00:00+00:00"}
  ]', 'the largest first, then the latest'
);
select is(
  messenger_group_failed() #>> '{groups,0,last_id}',
  (select max(id)::text from messenger_failed_messages where error = 'no route' and type = 'A'), 'with the latest of each'
);
select is(length(messenger_group_failed(type => 'B') #>> '{groups,0,error}'), 500, 'a long error is cut');
select is(
  messenger_group_failed(queue => 'mail') -> 'groups' -> 0 ->> 'type', 'B', 'the filters are those of the list'
);
select is(
  messenger_group_failed(max_groups => 2) - 'groups', '{"left_out":3,"scanned":6,"next":null}',
  'a page says how many groups it leaves out'
);
select is(messenger_group_failed(type => 'C') -> 'groups', '[]', 'none');

select * from finish();
rollback;
