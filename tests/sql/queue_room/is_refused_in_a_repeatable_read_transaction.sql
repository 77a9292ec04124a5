-- Its snapshot may not show what the last claim has leased.
begin isolation level repeatable read;
select plan(2);

insert into messenger_queues (name, concurrency) values ('mail', 1);
select test.dispatch('free');
select lives_ok($$select test.claim(test.token(1))$$, 'a claim where no such queue has work');
select test.dispatch_many(1, 'mail');
select throws_ok(
  $$select test.claim(test.token(2))$$,
  'PT409', 'messages of a queue with limits are claimed in a read committed transaction only',
  'a claim of a queue with limits'
);

select * from finish();
rollback;
