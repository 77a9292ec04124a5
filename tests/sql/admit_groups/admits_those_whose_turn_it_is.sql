-- In the order it was given them; the others are blocked.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C', 'D');
select test.dispatch('free');
select is(
  test.types_at(messenger.admit_groups(
    'default', array(select ctid from messenger_messages order by id desc), '{}'
  )),
  array['free', 'C', 'A'],
  'the first of each group and what is in none'
);
select is(test.blocked(), array['B', 'D'], 'the others wait');
select is(
  messenger.admit_groups('default', test.places_of('B'), '{}'), '{}',
  'and are refused to every worker'
);

select * from finish();
rollback;
