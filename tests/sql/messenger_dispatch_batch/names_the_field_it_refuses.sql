begin;
select plan(12);

select throws_ok($$select messenger_dispatch_batch('{}', 'n')$$, 'PT400', 'messages: has to be an array');
select throws_ok($$select messenger_dispatch_batch(null, 'n')$$, 'PT400', 'messages: has to be an array');
select throws_ok($$select messenger_dispatch_batch('[]', null)$$, 'PT400', 'name: has to be 1 to 255 characters');
select throws_ok($$select messenger_dispatch_batch('[]', repeat('n', 256))$$, 'PT400', 'name: has to be 1 to 255 characters');
select throws_ok(
  $$select messenger_dispatch_batch('[]', 'n', idempotency_key => '')$$, 'PT400',
  'idempotency_key: has to be 1 to 255 characters'
);
select throws_ok(
  $$select messenger_dispatch_batch('[]', 'n', on_finished => '"Report"')$$, 'PT400',
  'on_finished: has to be a message, {"type", "payload"}'
);
select throws_ok(
  $$select messenger_dispatch_batch('[]', 'n', on_failed => '{"payload":1}')$$, 'PT400', 'on_failed: type: is required'
);
select throws_like(
  $$select messenger_dispatch_batch('[]', 'n', on_succeeded => '{"type":"A","dedupe_key":"k"}')$$,
  'on_succeeded: dedupe_key: is not known%'
);
select throws_like($$select messenger_dispatch_batch('[{"type":"A","queue":"a b"}]', 'n')$$, '%queue: has to be%');

select throws_like(
  $$select messenger_dispatch_batch('[]', 'b', on_finished => '{"type":"T","payload":{"n":1970670598291982290}}')$$,
  'on_finished.payload.n: has to be a number that is kept exactly%', 'a number in a callback that its handler would not get'
);
select throws_like($$select messenger_dispatch_batch('[null]', 'b')$$, 'messages.0: has to be an object%', 'a message that is null');
select throws_like($$select messenger_dispatch_batch('[5]', 'b')$$, 'messages.0: has to be an object%', 'or a number');
select * from finish();
rollback;
