-- A call with messages of several transports gives each to its own, and returns the ids in the order of the call.
begin;
select plan(9);
select messenger_declare_routing('{"eu": false}', '{"Audit*": "eu"}');
create temp table given (messages jsonb, reserved boolean);
create or replace function messenger.write_outbox(p_messages jsonb, p_reserved boolean) returns jsonb
language plpgsql set search_path = '' as $$
begin
  insert into pg_temp.given values (p_messages, p_reserved);
  return jsonb_build_object('ids', (select jsonb_agg('100' || (m ->> 'payload')) from jsonb_array_elements(p_messages) as m));
end
$$;

create temp table answer as select messenger_enqueue(
  '[{"type":"Audit","payload":1},{"type":"Mail","payload":2},{"type":"Audit","payload":3,"transport":"home"},
    {"type":"Mail","payload":4,"transport":"eu"},{"type":"Mail","payload":5}]'
) -> 'ids' as ids;
select is(
  (select messages from given),
  '[{"type":"Audit","payload":1,"transport":"eu"},{"type":"Mail","payload":4,"transport":"eu"}]',
  'the outbox gets what the route or the message says, with the transport'
);
select results_eq(
  'select id::text, payload from messenger_messages order by id',
  $$select ids ->> i, p::jsonb from answer, (values (1, '2'), (2, '3'), (4, '5')) as v (i, p)$$,
  'the others are messages of home, in their order'
);
select is((select (ids ->> 0) || ' ' || (ids ->> 3) from answer), '1001 1004', 'each id stands in its place');

select messenger_dispatch('AuditEntry', '6');
select is((select count(*)::int from given), 2, 'a dispatch in SQL follows the route');
select messenger_dispatch('AuditEntry', '7', transport => 'home');
select is((select count(*)::int from messenger_messages), 4, 'unless it names home');
select throws_ok(
  $$select messenger_dispatch('Mail', '8', transport => 'us')$$, 'PT400',
  'transport: there is no transport us; there are home, eu', 'a transport that is not declared is refused'
);
select throws_ok(
  $$select messenger_dispatch('Audit', '8', dedupe_key => 'k')$$, 'PT400',
  'dedupe: of a message of the transport eu has to be a window; or give an idempotency key',
  'and so is a dedupe key that a message of home would hold'
);

delete from messenger_ticks where true;
select messenger_enqueue('[{"type":"Mail","payload":9,"transport":"eu"}]', checked => true);
select is((select count(*)::int from messenger_ticks), 0, 'the outbox itself wakes ticks for transports that are declared');
select messenger_enqueue('[{"type":"Mail","payload":9,"transport":"new"}]', checked => true);
select is(
  (select count(*)::int from messenger_ticks where ended_at is null), 1,
  'a transport that the code has and no tick has declared wakes one'
);

select * from finish();
rollback;
