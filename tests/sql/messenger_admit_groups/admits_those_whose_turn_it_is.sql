-- In the order it was given them; the others are blocked.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C', 'D');
select test.dispatch('free');
select is(
  messenger_admit_groups('default', array(select id from messenger_messages order by id desc), '{}'),
  array[test.id_of('free'), test.id_of('C'), test.id_of('A')],
  'the first of each group and what is in none'
);
select is(test.blocked(), array['B', 'D'], 'the others wait');
select is(
  messenger_admit_groups('default', array[test.id_of('B')], '{}'), '{}',
  'and are refused, whoever asks'
);

select * from finish();
rollback;
