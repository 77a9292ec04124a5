-- Such a message was written around the check: it is handed out as crashed, and holds up no other message.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

alter table messenger_messages
  drop constraint "payload: has to have at most 8388608 bytes";
insert into messenger_messages (type, payload, available_at, quarantined)
select t, jsonb_build_object('text', repeat('x', 110000000)), messenger_now(), t = 'quarantined'
from unnest(array['huge', 'quarantined']) as t;
select test.dispatch('small');
create temp table claim as select test.claim(test.token(1)) as answer;

select is((select test.types(answer -> 'messages') from claim), array['small'], 'others are given');
select is((select test.types(answer -> 'crashed') from claim), array['huge'], 'it counts as crashed');
select is((select answer -> 'crashed' -> 0 -> 'payload' from claim), 'null', 'without its payload');
select is(
  (select answer -> 'oversized' from claim), jsonb_build_array(test.id_of('huge')::text), 'and is named'
);
select is((select attempts from messenger_messages where type = 'huge'), 1, 'the attempt counts');
select is(
  (select test.claim(test.token(2), run_alone => true) -> 'oversized'),
  jsonb_build_array(test.id_of('quarantined')::text), 'also where it has to run alone'
);
select is(
  (select test.claim(test.token(1), repeated => true) -> 'crashed' -> 0 -> 'payload'), 'null',
  'and when a call is repeated'
);

select * from finish();
rollback;
