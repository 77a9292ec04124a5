-- A dispatch with an earlier id commits while a claim is under way that has the next of its group.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C');
select is(
  messenger.admit_groups('default', test.places_of('A'), test.places_of('B')), '{}',
  'the earlier one waits until the later one is done'
);
select is(test.blocked(), array['C'], 'what the claim has is not blocked');
update messenger_queues set group_concurrency = 2;
select is(
  test.types_at(
    messenger.admit_groups('default', test.places_of('A', 'C'), test.places_of('B'))
  ),
  array['A'], 'it runs beside it where two may'
);

select * from finish();
rollback;
