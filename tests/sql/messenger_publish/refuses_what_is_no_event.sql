begin;
select plan(12);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');

select throws_ok(format('select messenger_publish(%L)', e), 'PT400', null, format('the event %s', e))
from unnest(array['', '.', 'a.', '.a', 'a b', 'order.*']) as e;
select throws_ok(
  $$select messenger_publish('a', '[1]')$$, 'PT400',
  'payload: has to be an object of at most 1,000,000 bytes', 'a payload that is no object'
);
select throws_ok(
  $$select messenger_publish('a', '{"order":{"id":12345678901234567890}}')$$, 'PT400',
  'payload.order.id: has to be a number that is kept exactly (was 12345678901234567890); give whole numbers beyond 2^53 - 1, and more digits than a double keeps, as text',
  'a number that the receiver would get changed'
);
select lives_ok($$select messenger_publish('a', '{"order":"12345678901234567890"}')$$, 'as text it is published');
select throws_ok(
  $$select messenger_publish('b', '{}', endpoint => null)$$, 'PT400',
  'endpoint: has to be the name of an endpoint, or * for all that want the event',
  'an endpoint that is null, which is not all of them'
);
select is((select count(*) from messenger_webhook_events where event = 'b'), 0::bigint, 'and publishes nothing');
select is(messenger_publish('b', '{}', endpoint => '*'), 1, 'all are named *');

select * from finish();
rollback;
