-- It calls the operators' functions, and no other.
begin;
select plan(12);

select throws_ok(
  $$select messenger_act('ada', 'messenger_claim', '{"token":null}')$$, 'PT400', null,
  'a function that is no operation'
);
select throws_ok(
  $$select messenger_act('ada', 'pg_sleep', '{"seconds":1}')$$, 'PT400', null, 'another''s function'
);
select throws_ok(
  $$select messenger_act('ada', null, '{}')$$, 'PT400', null, 'no operation'
);
select throws_ok(
  $$select messenger_act('', 'messenger_redrive', '{"type":"A"}')$$, 'PT400',
  'actor: is required', 'no actor'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_unschedule', '5')$$, 'PT400',
  'args: has to be an object', 'arguments that are no object'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_unschedule', '{"id":1,"evil":2}')$$, 'PT400',
  'args: messenger_unschedule takes id, user_id', 'an argument that it does not take'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_unschedule', '{}')$$, 'PT400', null, 'no argument'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_pause_schedule', '{"id":999}')$$, 'PT404',
  'id: there is no schedule 999', 'the function''s own error comes through'
);

select throws_ok(
  $$select messenger_act('ada', 'messenger_cancel', '{"ids":[1],"dry_run":"maybe"}')$$, 'PT400',
  'dry_run: has to be boolean (was "maybe")', 'a value of another type'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_cancel', '{"ids":5}')$$, 'PT400', 'ids: has to be bigint[] (was 5)',
  'one value in place of an array'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_cancel', '{"ids":[1],"created_from":"x"}')$$, 'PT400',
  'created_from: has to be timestamp with time zone (was "x")', 'a moment that is none'
);
select throws_ok(
  $$select messenger_act('ada', 'messenger_cancel', '{"ids":[1],"max_messages":1e99}')$$, 'PT400', null,
  'a number that is too large'
);

select * from finish();
rollback;
