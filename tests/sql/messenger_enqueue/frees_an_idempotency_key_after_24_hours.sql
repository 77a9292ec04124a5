-- From then on the key names a new message, again for 24 hours.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create temp table first as
  select messenger_enqueue('[{"type":"A","payload":1,"idempotency_key":"k"}]') as answer;

select test.set_clock('2026-01-02 12:00Z');
create temp table second as
  select messenger_enqueue('[{"type":"A","payload":2,"idempotency_key":"k"}]') as answer;
select isnt(
  (select answer from second), (select answer from first), 'the key gets a new message'
);
select is(
  array(select payload from messenger_messages order by id), array['1', '2']::jsonb[],
  'which is written'
);
select test.set_clock('2026-01-03 11:59Z');
select is(
  messenger_enqueue('[{"type":"A","payload":2,"idempotency_key":"k"}]'), (select answer from second),
  'and is the id that a repeat returns'
);

select * from finish();
rollback;
