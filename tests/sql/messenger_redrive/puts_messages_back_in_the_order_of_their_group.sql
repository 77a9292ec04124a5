-- By their ids, before what was dispatched since; whatever order they died in.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A', failed_at => '2026-01-01 11:00Z'),
  test.dead_letter('B', failed_at => '2026-01-01 10:00Z');
update messenger_failed_messages set group_key = 'g';
select test.dispatch_to_group('g', 'C', 'D');
update messenger_messages set priority = 7 where true;
select messenger_redrive("all" => true);
select is(test.claimed(1), array['A'], 'the first');
select is(test.blocked(), array['B', 'C', 'D'], 'the others wait');
select test.handle(1, 'A');
select is(test.claimed(2), array['B'], 'the second');
select test.handle(2, 'B');
select is(test.claimed(3), array['C'], 'then what came later');

select test.dead_letter('old');
update messenger_failed_messages set group_key = 'g';
select messenger_redrive("all" => true, to_queue => 'mail');
select is(test.claimed(4), array['old'], 'in another queue it is another group');

select * from finish();
rollback;
