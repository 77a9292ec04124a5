-- Their meaning is the claim's; here it shows that each arrives.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select messenger_dispatch('mail', queue => 'mail');
select messenger_dispatch('quarantined');
update messenger_messages set quarantined = true where type = 'quarantined';

create temp table first as select test.settle_and_claim(
  '[]', test.token(1), max_messages => 1, lease_ms => 5000, queues => array['default']
) as answer;
select is((select test.types(answer -> 'messages') from first), array['A'], 'max_messages, queues');
select is(
  (select leased_until from messenger_messages where type = 'A'),
  '2026-01-01 12:00:05Z'::timestamptz, 'lease_ms'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'released', test.ids('A')
)));
select is(
  test.types(test.settle_and_claim(
    '[]', test.token(2), queues => array['default'],
    last_keys => (select answer -> 'last_keys' from first)
  ) -> 'messages'),
  array['B'], 'last_keys'
);
select is(
  test.types(test.settle_and_claim('[]', test.token(3), run_alone => true) -> 'messages'),
  array['quarantined'], 'run_alone'
);
select is(
  test.types(test.settle_and_claim('[]', test.token(3), repeated => true) -> 'messages'),
  array['quarantined'], 'repeated'
);
select test.set_clock('2026-01-01 12:05Z');
select is(
  test.settle_and_claim('[]', test.token(4), sweep => false) -> 'crashed', '[]', 'sweep'
);
select is(
  test.types(test.settle_and_claim('[]', test.token(4)) -> 'crashed'),
  array['B', 'quarantined'], 'which is done unless it is declined'
);

select * from finish();
rollback;
