-- A claim may look at any number of queues, and Postgres has room for some thousand locks.
begin;
select plan(3);

select lives_ok(
  $$select pg_advisory_xact_lock(messenger.queue_lock(n::text)) from generate_series(1, 50000) as n$$,
  'one transaction may take those of 50,000 queues'
);
select is(messenger.queue_lock('mail'), messenger.queue_lock('mail'), 'a queue has one lock');
select isnt(messenger.queue_lock('mail'), messenger.queue_lock('default'), 'another has another');

select * from finish();
rollback;
