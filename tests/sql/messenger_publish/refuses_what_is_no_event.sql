begin;
select plan(7);

select throws_ok(format('select messenger_publish(%L)', e), 'PT400', null, format('the event %s', e))
from unnest(array['', '.', 'a.', '.a', 'a b', 'order.*']) as e;
select throws_ok(
  $$select messenger_publish('a', '[1]')$$, 'PT400',
  'payload: has to be an object of at most 1,000,000 bytes', 'a payload that is no object'
);

select * from finish();
rollback;
