-- A worker knows the groups of its messages, so that they need not be read once more.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C', 'D');
select is(test.claimed(1), array['A', 'C'], 'the first of each group');
select is(test.claimed(2), '{}', 'those behind them are blocked');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'grouped', true, 'handled', test.ids('A', 'C'),
  'groups', '[["default", "g"], ["default", "h"], ["default", "g"]]'::jsonb
)));
select is(test.claimed(3), array['B', 'D'], 'the next of each group, of one that is named twice too');

-- Workers since 0.2.0 name the groups of a queue in one list.
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(3), 'grouped', true, 'handled', test.ids('B', 'D'),
  'groups', '[["default", "g", "h"]]'::jsonb
)));
select test.dispatch_to_group('g', 'E', 'F');
select test.dispatch_to_group('h', 'G', 'H');
select test.claimed(4);
select test.claimed(5);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(4), 'grouped', true, 'handled', test.ids('E', 'G'),
  'groups', '[["mail", "g"], ["default", "g", "h", "g"]]'::jsonb
)));
select is(test.claimed(6), array['F', 'H'], 'the next of each group of a list');
select is((select count(*)::integer from messenger.groups_to_reopen), 0, 'no group is noted for a later look');

select * from finish();
rollback;
