begin;
select plan(7);
select test.set_clock('2026-02-01 12:00Z');

insert into messenger_events (event, created_at)
values ('old', '2026-01-02 11:59Z'), ('young', '2026-01-02 12:00Z');
insert into messenger.used_tokens
values ('old', '2026-02-01 10:59Z'), ('young', '2026-02-01 11:00Z');
select test.dispatch('A');
insert into messenger.waits values ('e', test.id_of('A')), ('e', 9000000), ('f', 9000000);

select is(
  messenger_prune_events(), '{"matched":4,"done":4,"next":null}', 'it tells how many rows are gone'
);
select is((select array_agg(event) from messenger_events), array['young'], 'events are kept for 30 days');
select is((select array_agg(token_id) from messenger.used_tokens), array['young'], 'tokens an hour longer than they hold');
select is((select array_agg(message_id) from messenger.waits), array[test.id_of('A')], 'waits as long as their message');
select is(
  messenger_prune_events('0') ->> 'done', '1', 'an operator chooses the age'
);
select throws_ok(
  $$select messenger_prune_events('-1 day')$$, 'PT400', 'older_than: has to be from zero to 100 years (was -1 days)',
  'of zero or more'
);
select is(
  (select command from cron.job where jobname = 'symphony-prune-events' and active),
  'call public.messenger_in_steps(''messenger_prune_events'', ''{"older_than": "30 days"}'')', 'a job calls it'
);

select * from finish();
rollback;
