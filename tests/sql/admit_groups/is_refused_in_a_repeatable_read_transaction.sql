-- Its snapshot may show a message in front that has left since: the next one would wait for ever.
begin isolation level repeatable read;
select plan(2);

select test.dispatch('free');
select is(test.claimed(1), array['free'], 'a claim of messages in no group goes through');
select test.dispatch_to_group('g', 'A');
select throws_ok(
  $$select test.claim(test.token(2))$$,
  'PT409', 'messages of a group are claimed in a read committed transaction only',
  'one that meets a group does not'
);

select * from finish();
rollback;
