-- Handlers read a message's numbers as doubles.
begin;
select plan(32);

create function pg_temp.path_of(payload jsonb) returns text language plpgsql as $$
begin
  perform messenger.check_numbers(payload, 'payload');
  return null;
exception when sqlstate 'PT400' then
  return split_part(sqlerrm, ':', 1);
end
$$;

select is(pg_temp.path_of(value::jsonb), null, value || ' is kept')
from unnest(array[
  '9007199254740991', '-9007199254740991', '0.1', '1.5000000000000000000', '0.30000000000000004',
  '1e2', '0', '"1970670598291982290"', '[true,null,{}]', '123456789.12345678',
  '5e-324', '-5e-324', '1e-310', '2.225073858507201e-308', '2.2250738585072014e-308'
]) as value;
select is(pg_temp.path_of(value::jsonb), 'payload', value || ' is refused')
from unnest(array[
  '9007199254740992', '-9007199254740993', '1970670598291982290', '1e400', '-1e400', '1e-400',
  '0.1234567890123456789', '9007199254740991.5', '1e300', '4e-324',
  '2e-324', '1e-16000', '5.5e-324'
]) as value;
select is(
  pg_temp.path_of('{"orders":[{"id":1},{"id":1970670598291982290}]}'), 'payload.orders.1.id',
  'with its path'
);
select throws_like(
  $$select messenger_dispatch('A', '{"id":1970670598291982290}')$$,
  'payload.id: has to be a number that is kept exactly (was 1970670598291982290)%',
  'messenger_dispatch refuses it'
);
select throws_like(
  $$select messenger_schedule_once('A', '{"id":1970670598291982290}', 'tomorrow')$$,
  'payload.id: %', 'so does a schedule'
);

select lives_ok(
  $$select messenger_schedule_once('A', '{"least":5e-324}', 'tomorrow')$$,
  'a schedule takes the smallest double'
);

select * from finish();
rollback;
