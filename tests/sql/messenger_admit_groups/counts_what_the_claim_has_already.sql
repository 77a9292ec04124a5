-- A dispatch with an earlier id commits while a claim is under way that has the next of its group.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C');
select is(
  messenger_admit_groups('default', array[test.id_of('A')], array[test.id_of('B')]), '{}',
  'the earlier one waits until the later one is done'
);
select is(test.blocked(), array['C'], 'what the claim has is not blocked');
update messenger_queues set group_concurrency = 2;
select is(
  messenger_admit_groups('default', array[test.id_of('A'), test.id_of('C')], array[test.id_of('B')]),
  array[test.id_of('A')], 'it runs beside it where two may'
);

select * from finish();
rollback;
