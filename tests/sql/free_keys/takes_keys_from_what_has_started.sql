-- Only for a dispatch that replaces a payload: for others a started message holds its key.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, dedupe_key, attempts, snoozes, interruptions, stamps, expires_at) values
  ('A', 'retries', 1, 0, 0, null, null), ('A', 'snoozed', 0, 1, 0, null, null), ('A', 'interrupted', 0, 0, 1, null, null),
  ('A', 'parked', 0, 0, 0, '{"durable":{"version":null}}', null), ('A', 'waits', 0, 0, 0, '{}', null),
  ('A', 'expired', 0, 0, 0, null, '2026-01-01 11:59Z');

create temp table given as select jsonb_agg(jsonb_build_object('type', type, 'dedupe_key', dedupe_key)) as messages
from messenger_messages;
select messenger.free_keys(messages, array[1, 2, 3, 4, 5, 6]) from given;
select is(
  array(select dedupe_key from messenger_messages where dedupe_key is not null order by id),
  array['retries', 'snoozed', 'interrupted', 'parked', 'waits'], 'an expired message gives its key up'
);
select messenger.free_keys(
  (select jsonb_agg(m || '{"dedupe":"replace"}') from jsonb_array_elements(messages) as m), array[1, 2, 3, 4, 5, 6]
) from given;
select is(
  array(select dedupe_key from messenger_messages where dedupe_key is not null),
  array['waits'], 'and for a replacing dispatch whatever has started'
);

select * from finish();
rollback;
