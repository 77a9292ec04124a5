-- The sleep or wait that it is parked in and what is finished, and never a result, a key or an error.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
select messenger_enqueue('[{"type":"A","stamps":{"user":{"id":"ann"}}}]');
create temp table one as select test.id_of('A') as id;

select ok(not messenger_follow(id, 'ann') ? 'steps', 'nothing of steps where there are none') from one;
insert into messenger_steps (message_id, handler, name, key, kind, status, result, error, until)
select id, 'handler', s.* from one cross join (values
  ('charge', 'card 4711', 'step', 'done', '"a secret"'::jsonb, null::jsonb, null::timestamptz),
  ('sleep', '', 'sleep', 'done', null, null, '2026-01-01 11:00Z'),
  ('ship', '', 'step', 'failed', null, '{"message":"a secret"}', null),
  ('refund', '', 'effect', 'done', '1', null, null),
  ('approved:7', '', 'wait', 'pending', null, null, '2026-01-08 12:00Z')
) as s;
select is(
  messenger_follow(id, 'ann') -> 'steps',
  '{"current":{"name":"approved:7","kind":"wait","until":"2026-01-08T12:00:00+00:00"},
    "done":["charge","refund"],"number":2}', 'names, in their order'
) from one;
select is(messenger_follow(id, 'bob'), null, 'none of it to another user') from one;

insert into messenger_steps (message_id, handler, name, nth, status)
select id, 'handler', 'loop', n, 'done' from one cross join generate_series(1, 150) as n;
select is(
  jsonb_array_length(messenger_follow(id) #> '{steps,done}'), 100, 'at most a hundred names'
) from one;
select is(messenger_follow(id) #> '{steps,number}', '152', 'and the number of all') from one;

update messenger_messages m set attempts = 2, stamps = m.stamps || '{"durable":{"version":null}}'
from one where m.id = one.id;
select is(messenger_follow(id) ->> 'status', 'pending', 'a sleep after a stored step is no retry') from one;
update messenger_messages m set retry_count = 1 from one where m.id = one.id;
select is(messenger_follow(id) ->> 'status', 'retrying', 'a step that failed since is one') from one;

select * from finish();
rollback;
