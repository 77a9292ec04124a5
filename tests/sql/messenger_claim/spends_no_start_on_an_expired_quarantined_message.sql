-- A message that expires while it waits to run alone is buried, and a live message starts in its place.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_queues (name, rate_limit, rate_period_ms) values ('mail', 1, 60000);

select messenger_dispatch(type, queue => 'mail', group_key => 'g', ttl => interval '1 second')
from unnest(array['A', 'B']) as t (type);
select messenger_dispatch('C', queue => 'mail', group_key => 'g');
update messenger_messages set quarantined = true;
select test.set_clock('2026-01-01 12:01Z');

select is(
  test.types(test.claim(test.token(1), run_alone => true, sweep => false) -> 'messages'), array['A'],
  'the first of its group is given'
);
select is((select count(*) from messenger.start_grants), 0::bigint, 'no start is spent on it');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'grouped', true,
  'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('A')::text, 'reason', 'expired'))
)));
select is(
  test.types(test.claim(test.token(2), run_alone => true, sweep => false) -> 'messages'), array['B'],
  'the next one follows at once'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(2), 'grouped', true,
  'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('B')::text, 'reason', 'expired'))
)));
select is(
  test.types(test.claim(test.token(3), run_alone => true, sweep => false) -> 'messages'), array['C'],
  'and what lives has its start'
);

select * from finish();
rollback;
