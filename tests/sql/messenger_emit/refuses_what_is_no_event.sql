begin;
select plan(9);

select throws_ok(
  $$select messenger_emit(null)$$, 'PT400',
  'event: has to be 1 to 255 characters, none of them a control character (was null)', 'no key'
);
select throws_ok($$select messenger_emit('')$$, 'PT400', null, 'an empty key');
select throws_ok($$select messenger_emit(repeat('k', 256))$$, 'PT400', null, 'a long key');
select throws_ok($$select messenger_emit(E'a\tb')$$, 'PT400', null, 'a control character');
select throws_ok(
  $$select messenger_emit('messenger.batch:1')$$, 'PT400',
  'event: may not begin with messenger., which is for the bus itself (was ''messenger.batch:1'')', 'a key of the bus'
);
select throws_ok(
  $$select messenger_emit('e', to_jsonb(repeat('v', 255999)))$$, 'PT400',
  'value: has to have at most 256000 bytes (was 256001)', 'a large value'
);
select is_empty('select from messenger_events', 'nothing was written');

select throws_like(
  $$select messenger_emit('k', '{"n": 1970670598291982290}')$$, 'value.n: has to be a number that is kept exactly%', 'a number that its readers would change'
);
select throws_like($$select messenger_emit('k', '1e400')$$, 'value: has to be a number that is kept exactly%', 'a number beyond those of JSON''s readers');
select * from finish();
rollback;
