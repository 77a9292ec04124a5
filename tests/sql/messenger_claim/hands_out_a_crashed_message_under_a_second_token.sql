-- The worker settles it as crashed and does not run it; its lease is fenced apart from the others.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('crashed');
select test.claim(test.token(1), lease_ms => 60000);
select test.dispatch('waiting');
select test.set_clock('2026-01-01 12:01Z');
create temp table claim as select test.claim(test.token(2)) as answer;

select is((select test.types(answer -> 'crashed') from claim), array['crashed'], 'it is named');
select is(
  (select test.types(answer -> 'messages') from claim), array['waiting'], 'apart from what is due'
);
select is(
  (select lease_token from messenger_messages where type = 'crashed'),
  (select (answer ->> 'crashed_token')::uuid from claim),
  'its lease is the second token''s'
);
select isnt(
  (select answer ->> 'crashed_token' from claim), test.token(2)::text, 'which is another'
);
select is(
  (select leased_until from messenger_messages where type = 'crashed'),
  '2026-01-01 12:02Z'::timestamptz,
  'and runs again, so that no two workers judge it'
);

select * from finish();
rollback;
