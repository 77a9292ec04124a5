-- A worker knows the groups of its messages, so that they need not be read once more.
begin;
select plan(3);
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

select * from finish();
rollback;
