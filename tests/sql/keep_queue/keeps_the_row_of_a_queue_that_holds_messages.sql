-- Whatever state the messages are in. Without the row they would lose its settings unseen.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.refuses(statement text, what text) returns text language sql as $$
  select throws_ok(
    statement, 'PT409', 'name: the queue mail holds messages; cancel them, or wait until they are done', what
  )
$$;

select messenger_dispatch('A', queue => 'mail', delay => interval '1 day');
update messenger_queues set rate_limit = 1, concurrency = 1 where name = 'mail';
select pg_temp.refuses($$delete from messenger_queues where name = 'mail'$$, 'one that waits');
select pg_temp.refuses($$update messenger_queues set name = 'post' where name = 'mail'$$, 'nor is it renamed');
select pg_temp.refuses($$select messenger_delete_queue('mail')$$, 'by a call');
select lives_ok($$update messenger_queues set paused = true where name = 'mail'$$, 'settings change');
update messenger_messages set blocked = true, group_key = 'g' where type = 'A';
select pg_temp.refuses($$delete from messenger_queues where name = 'mail'$$, 'one that is blocked');
update messenger_messages set blocked = false, quarantined = true where type = 'A';
select pg_temp.refuses($$delete from messenger_queues where name = 'mail'$$, 'one that runs alone');
update messenger_messages set quarantined = false, available_at = messenger_now() where type = 'A';
update messenger_queues set paused = false where name = 'mail';
select is(test.claimed(1), array['A'], 'one that is given to a worker');
select pg_temp.refuses($$delete from messenger_queues where name = 'mail'$$, 'and runs');

insert into messenger.start_grants values ('mail', messenger_now(), 1) on conflict do nothing;
delete from messenger_messages where type = 'A';
select lives_ok($$update messenger_queues set name = 'post' where name = 'mail'$$, 'an empty one is renamed');
select is_empty('select from messenger.start_grants', 'and starts with its whole rate');
select test.dead_letter('B', queue => 'post');
select lives_ok($$delete from messenger_queues where name = 'post'$$, 'dead letters do not keep it');
select messenger_redrive(ids => array[test.id_of('B')]);
select is(
  (select count(*) from messenger_queues where name = 'post'), 1::bigint, 'a redrive makes it again'
);

select * from finish();
rollback;
