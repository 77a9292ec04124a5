-- A list of queues shows how each one's backlog went.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:05:30Z');
insert into messenger.backlog_points (at, queue, due)
values
  ('2026-01-01 11:05Z', 'a', 9), ('2026-01-01 11:06Z', 'a', 2), ('2026-01-01 11:07Z', 'a', 3),
  ('2026-01-01 12:05Z', 'a', 7), ('2026-01-01 12:05Z', 'b', 1), ('2026-01-01 12:05Z', '', 8);

select is(
  messenger_backlogs('{b,a,none}') #> '{queues}' @? '$[0].name ? (@ == "b")', true, 'in the order of the names'
);
select is(
  (messenger_backlogs('{a}') ->> 'from')::timestamptz, '2026-01-01 11:06Z'::timestamptz, 'of the last hour'
);
select is(
  messenger_backlogs('{a}') #> '{queues,0,due}', to_jsonb(array[3] || array_fill(0, array[28]) || array[7]),
  'the largest number of each two minutes'
);
select is(
  messenger_backlogs('{none}') #> '{queues,0,due}', to_jsonb(array_fill(0, array[30])), 'of a queue that held nothing'
);
select throws_ok(
  $$select messenger_backlogs('{}')$$, 'PT400', 'queues: has to be 1 to 200 names (0 were given)', 'no name'
);
select throws_ok(
  $$select messenger_backlogs(array_fill('a'::text, array[201]))$$, 'PT400',
  'queues: has to be 1 to 200 names (201 were given)', 'too many names'
);

select * from finish();
rollback;
