-- One round trip: what was just given back can be in the next claim.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B', 'C');
select test.claim(test.token(1), 2);
create temp table call as select test.settle_and_claim(
  jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A') || '["999999999"]', 'released', test.ids('B')
  )),
  test.token(2)
) as answer;

select is((select test.types(answer -> 'messages') from call), array['B', 'C'], 'the claim');
select is((select answer -> 'stale' from call), '["999999999"]', 'the settle''s answer beside it');
select is(
  array(select key from call, jsonb_object_keys(answer) as key order by 1),
  array['bytes', 'crashed', 'crashed_token', 'last_keys', 'lease_ms', 'lock_ms', 'messages', 'more',
    'next_due_at', 'now', 'oversized', 'quarantined_due', 'rated', 'stale', 'token'],
  'and all other fields of a claim'
);

select * from finish();
rollback;
