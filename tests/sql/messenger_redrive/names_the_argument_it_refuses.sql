-- And leaves the dead letters as they are.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A'), test.dead_letter('B');
select throws_ok(
  $$select messenger_redrive("all" => true, max_messages => 0)$$,
  'PT400', 'max_messages: has to be at least 1', 'up to none'
);
select throws_ok(
  $$select messenger_redrive("all" => true, per_second => 0)$$,
  'PT400', 'per_second: has to be from 0.001 to 1000000', 'a rate of zero'
);
select throws_like(
  format('select messenger_redrive("all" => true, per_second => %L)', rate), 'per_second: %',
  'a rate of ' || rate
)
from unnest(array['1e-300', 'NaN', 'Infinity']) as rate;
select throws_ok(
  $$select messenger_redrive(ids => '{null}')$$,
  'PT400', 'ids: have to be a list of ids without null', 'null in the place of an id'
);
select throws_ok(
  $$select messenger_redrive(failed_from => '2026-01-02', failed_until => '2026-01-01')$$,
  'PT400', 'failed_until: has to come after failed_from', 'a time that ends before it begins'
);
select throws_ok(
  $$select messenger_redrive("all" => true, to_queue => 'two words')$$,
  'PT400', 'to_queue: has to be 1 to 100 letters, digits or _ . : -', 'a queue with a space'
);
select throws_ok(
  $$select messenger_redrive(type => 'A', payload => '{}')$$,
  'PT400', 'payload: an edited payload goes with the id of one message', 'one payload for a filter'
);
select throws_ok(
  $$select messenger_redrive(ids => array[test.id_of('A'), test.id_of('B')], payload => '{}')$$,
  'PT400', 'payload: an edited payload goes with the id of one message', 'one payload for two'
);
select throws_ok(
  $$select messenger_redrive(reason => 'tired')$$,
  'PT400', 'reason: has to be one of exhausted, unrecoverable, crashed, invalid, unknown_type, expired, cancelled, interrupted',
  'a reason that does not exist'
);
select is(
  (select count(*) from messenger_failed_messages), 2::bigint, 'both dead letters are still there'
);

select * from finish();
rollback;
