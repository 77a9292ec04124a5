-- A debounce says itself when the message is due.
begin;
select plan(9);

select throws_like(
  format('select messenger_dispatch(''A'', %s)', arguments), wrong || ': %', arguments
)
from (values
  ('dedupe_key => ''k'', dedupe_debounce => interval ''0''', 'dedupe_debounce'),
  ('dedupe_debounce => interval ''1 second''', 'dedupe_key'),
  ('dedupe_key => ''k'', dedupe_max_wait => interval ''1 second''', 'dedupe_max_wait'),
  ('dedupe_key => ''k'', dedupe_debounce => interval ''2 s'', dedupe_max_wait => interval ''1 s''', 'dedupe_max_wait'),
  ('dedupe_key => ''k'', dedupe_debounce => interval ''2 s'', dedupe => ''replace''', 'dedupe'),
  ('dedupe_key => ''k'', dedupe_debounce => interval ''2 s'', delay => interval ''1 s''', 'dedupe_debounce'),
  ('dedupe_key => ''k'', dedupe_debounce => interval ''2 s'', available_at => now()', 'dedupe_debounce'),
  ('dedupe_key => ''k'', dedupe_debounce => interval ''2 s'', ttl => interval ''2 s''', 'ttl')
) as given (arguments, wrong);
select is((select count(*) from messenger_messages), 0::bigint, 'what was refused left no row');

select * from finish();
rollback;
