-- A due row asks for a tick, as a message of home does. While its transport rests after failures, it does not.
begin;
select plan(4);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow');
select is((select count(*)::int from messenger_ticks), 1, 'a due row asks for a tick');
delete from messenger_ticks where true;
update messenger.relays set retry_at = clock_timestamp() + interval '5 minutes', failures = 9 where true;
select messenger_dispatch('ImportRow');
select is((select count(*)::int from messenger_ticks), 0, 'a transport that is away wakes none before its next attempt');
update messenger.relays set retry_at = null where true;
select is((messenger_start_tick(awake => true) -> 'proceed')::boolean, true, 'a tick starts for what is due');
delete from messenger_ticks where true;
select messenger_declare_routing('{}', '{}');
update messenger.relays set retry_at = null where true;
select is((messenger_start_tick(awake => true) -> 'proceed')::boolean, false, 'what goes to a transport that is not declared starts none');
select * from finish();
rollback;
