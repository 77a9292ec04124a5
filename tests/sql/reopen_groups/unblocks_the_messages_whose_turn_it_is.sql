-- As many as may run, and none behind them.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C');
update messenger_messages set blocked = true where true;
select messenger.reopen_groups('{default}', '{g}');
select is(test.blocked(), array['B', 'C'], 'the first');
update messenger_queues set group_concurrency = 2;
update messenger_messages set blocked = true where true;
select messenger.reopen_groups('{default}', '{g}');
select is(test.blocked(), array['C'], 'the first two');
select lives_ok($$select messenger.reopen_groups('{default}', '{unknown}')$$, 'a group that is empty');
select is_empty('select from messenger.groups_to_reopen', 'nothing is left to be looked at');

select * from finish();
rollback;
