-- A message that was blocked in one group may be first in another, or the other way round.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C', 'D');
select messenger_dispatch('H', group_key => 'g', queue => 'mail');
select test.claimed(1);
select is(test.blocked(), array['B', 'C', 'D'], 'behind the first');
update messenger_messages set group_key = null where type = 'B';
select is(test.claimed(2), array['B'], 'one that was taken out of its group runs');
update messenger_messages set group_key = 'h' where type = 'C';
select is(test.claimed(3), array['C'], 'one that is the first of another group as well');
update messenger_messages set queue = 'mail' where type = 'D';
select is(test.claimed(4), '{}', 'one that comes behind another does not');
select is(test.blocked(), array['D'], 'it is blocked there');
update messenger_messages set payload = '1', priority = 9 where type = 'D';
select is(test.blocked(), array['D'], 'other changes leave it as it is');
select test.handle(1, 'H');
select is(test.claimed(5), array['D'], 'until its turn comes');

select * from finish();
rollback;
