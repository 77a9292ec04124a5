-- Also those of a dead letter. A large result is told by its size.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('A');
select test.dead_letter('Dead');
select is(messenger_show_message(test.id_of('A')) -> 'steps', '[]', 'no steps');

insert into messenger_steps (message_id, handler, name, kind, status, result, error, until, details, created_at)
select i.id, 'handler', s.*, messenger_now() from unnest(array[test.id_of('A'), test.id_of('Dead')]) as i (id)
cross join (values
  ('small', 'step', 'done', '9007199254740993'::jsonb, null::jsonb, null::timestamptz, null::jsonb),
  ('large', 'step', 'done', to_jsonb(repeat('x', 5000)), null, null, null),
  ('bad', 'step', 'failed', null, '{"reason":"exhausted","message":"no","class":"Error"}', null, null),
  ('paid', 'wait', 'pending', null, null, '2026-01-08 12:00Z', '{"keys":["paid:1","paid:2"],"cursors":{}}')
) as s;
create temp table shown as
select step from jsonb_array_elements(messenger_show_message(test.id_of('A')) -> 'steps') as step;
select results_eq(
  $$select step ->> 'name', step -> 'result', step #>> '{error,message}', step -> 'waits_for' from shown$$,
  $$values ('small', '"9007199254740993"'::jsonb, null, 'null'::jsonb), ('large', null, null, 'null'),
    ('bad', null, 'no', 'null'), ('paid', null, null, '["paid:1","paid:2"]')$$,
  'in their order, numbers that a double would change as text'
);
select cmp_ok(
  (select (step -> 'result_bytes')::integer from shown where step ->> 'name' = 'large'), '>=', 5000,
  'the size of a large result'
);
select is(
  jsonb_array_length(messenger_show_failed(test.id_of('Dead')) -> 'steps'), 4, 'and those of a dead letter'
);

select * from finish();
rollback;
