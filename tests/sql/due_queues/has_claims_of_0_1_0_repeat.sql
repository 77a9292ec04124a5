-- The function of 0.1.0, as claims call it that began before the upgrade.
begin;
select plan(1);
select throws_ok(
  $$select * from messenger.due_queues('{default}', '{}')$$,
  'PT503', 'claim: the schema was upgraded meanwhile; repeat the call',
  'a claim that began before the upgrade is told to repeat'
);

select * from finish();
rollback;
