-- A parked message waits until its step ends, and no attempt is charged.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (
  id, type, status, lease_token, leased_until, attempts, snoozes, interruptions, expires_at, group_key
)
select n, 'A', 'processing', '00000000-0000-4000-8000-000000000001', '2026-01-01 12:01Z', 2, 1, 3, '2026-01-01 13:00Z', 'g' || n
from generate_series(1, 3) as n;
select is(messenger_settle('[{"token":"00000000-0000-4000-8000-000000000001","grouped":true,"parked":[
  {"id":1,"delay_ms":null,"stamps":{"durable":{"version":null}},
    "step":{"handler":"h","name":"sleep","nth":1,"kind":"sleep","until_ms":60000}},
  {"id":2,"delay_ms":0,"step":{"handler":"h","name":"sleep","nth":1,"kind":"sleep","until":"2026-02-01T00:00:00Z"}},
  {"id":3,"delay_ms":5000,"leave_group":true}
]}]'), '{"stale":[]}', 'all are settled');
select results_eq(
  'select id, status, attempts, snoozes, interruptions, expires_at, available_at, group_key collate "default" from messenger_messages order by id',
  $$values (1::bigint, 'pending', 1, 1, 0, null::timestamptz, '2026-01-01 12:01Z'::timestamptz, 'g1'),
    (2, 'pending', 1, 1, 0, null, '2026-01-01 12:00Z', 'g2'), (3, 'pending', 1, 1, 0, null, '2026-01-01 12:00:05Z', null)$$,
  'they wait, with the attempt given back'
);
select results_eq(
  'select message_id, kind, status, until from messenger_steps order by message_id',
  $$values (1::bigint, 'sleep', 'pending', '2026-01-01 12:01Z'::timestamptz), (2, 'sleep', 'pending', '2026-02-01')$$,
  'the steps are pending'
);
update messenger_messages set status = 'processing', lease_token = '00000000-0000-4000-8000-000000000001',
  leased_until = '2026-01-01 12:05Z' where id = 2;
select messenger_settle('[{"token":"00000000-0000-4000-8000-000000000001","parked":[{"id":2,"delay_ms":null}]}]');
select is(
  (select available_at from messenger_messages where id = 2), '2026-02-01', 'without a step it waits for the stored one'
);

update messenger_messages set status = 'processing', lease_token = '00000000-0000-4000-8000-000000000001',
  leased_until = '2026-01-01 12:05Z' where id in (1, 2);
update messenger_steps set status = 'done', result = '5' where message_id = 1;
select messenger_settle('[{"token":"00000000-0000-4000-8000-000000000001","parked":[
  {"id":1,"delay_ms":0,"step":{"handler":"h","name":"sleep","nth":1,"kind":"sleep","until_ms":9,"details":{"n":1}}},
  {"id":2,"delay_ms":0,"step":{"handler":"h","name":"sleep","nth":1,"kind":"sleep","until_ms":9,"details":{"n":2}}}
]}]');
select results_eq(
  'select message_id, status, until, details from messenger_steps order by message_id',
  $$values (1::bigint, 'done', '2026-01-01 12:01Z'::timestamptz, null::jsonb),
    (2, 'pending', '2026-02-01', '{"n":2}')$$,
  'a step that is there keeps its row: one that is pending takes the details, one that has ended does not'
);

select * from finish();
rollback;
