begin;
select plan(4);

prepare stray as select messenger_prune(after => '{"kind":"letters","id":"5"}');
select throws_ok('stray', 'PT400', 'after: has to be the "next" of the step before');
prepare unread as select messenger_prune(after => '{"kind":"failed","id":"abc"}');
select throws_ok('unread', 'PT400', 'after: has to be the "next" of the step before');
prepare runs as select messenger_prune_schedule_runs(after => '{"id":"x"}');
select throws_ok('runs', 'PT400', 'after: has to be the "next" of the step before');
prepare events as select messenger_prune_events(after => '{"id":"9223372036854775808"}');
select throws_ok('events', 'PT400', 'after: has to be the "next" of the step before');

select * from finish();
rollback;
