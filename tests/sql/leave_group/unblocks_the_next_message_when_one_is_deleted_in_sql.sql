-- An operator deletes or moves messages in the table editor.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C', 'D', 'E');
select test.claimed(1);
select is(test.blocked(), array['B', 'C', 'D', 'E'], 'one runs');
delete from messenger_messages where type = 'B';
select is(test.blocked(), array['C', 'D', 'E'], 'the removal of a blocked message unblocked no other');
delete from messenger_messages where type = 'A';
select is(test.blocked(), array['D', 'E'], 'the one that ran did');
update messenger_messages set group_key = null where type = 'C';
select is(test.blocked(), array['E'], 'and one that left the group');
update messenger_messages set queue = 'elsewhere' where type = 'D';
select is(test.blocked(), '{}', 'and one that left the queue');
select is(test.claimed(2) @> array['C', 'D', 'E'], true, 'each may run now');

select * from finish();
rollback;
