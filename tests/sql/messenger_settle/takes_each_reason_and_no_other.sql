-- The six ways to die; a typo does not become a seventh.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('exhausted', 'unrecoverable', 'crashed', 'invalid', 'unknown_type', 'expired', 'tired');
select test.claim(test.token(1));
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'dead', (
    select jsonb_agg(jsonb_build_object('id', id::text, 'reason', type))
    from messenger_messages where type <> 'tired'
  )
)));
select results_eq(
  'select reason, error, errors from messenger_failed_messages order by id',
  $$values ('exhausted', null, '[]'::jsonb), ('unrecoverable', null, '[]'), ('crashed', null, '[]'),
    ('invalid', null, '[]'), ('unknown_type', null, '[]'), ('expired', null, '[]')$$,
  'each is taken, also without an error'
);
select throws_ok(
  $$select messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('tired')::text, 'reason', 'tired'))
  )))$$,
  'PT400', format(
    'settlements.0.dead.0.reason: has to be one of %s (was "tired")', array_to_string(messenger.dead_reasons(), ', ')
  ), 'another is refused'
);

select * from finish();
rollback;
