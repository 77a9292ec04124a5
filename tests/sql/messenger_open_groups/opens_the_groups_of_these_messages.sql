-- Of those of them that are in one and still there.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C');
select test.dispatch_to_group('i', 'D');
select test.dispatch('free');
update messenger_messages set blocked = true where type <> 'free';
select messenger_open_groups(array[test.id_of('B'), test.id_of('C'), test.id_of('free'), -1]);
select is(test.blocked(), array['B', 'D'], 'the first of each of their groups');

select * from finish();
rollback;
