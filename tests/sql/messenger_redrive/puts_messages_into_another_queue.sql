-- One with room, or one that only a mended worker asks. The queue becomes known like any other.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A', 'mail');
select messenger_redrive("all" => true, to_queue => 'second.chance');
select is((select queue from messenger_messages), 'second.chance', 'the other queue');
select is(
  test.types(test.claim(test.token(1), queues => array['second.chance']) -> 'messages'),
  array['A'], 'from which it is claimed'
);

select * from finish();
rollback;
