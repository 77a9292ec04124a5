-- The progress of messages that run stays, also where their ids are named.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('Runs');
select test.claim(test.token(1));
select test.dead_letter('A');
insert into messenger.progress (message_id, value, at)
select id, 0.5, messenger_now() from messenger_messages
union all
select id, 0.5, messenger_now() from messenger_failed_messages;

select messenger_redrive(ids => array(
  select id from messenger_messages union all select id from messenger_failed_messages
));
select is(
  messenger_follow(test.id_of('A')) -> 'progress', 'null', 'it has none until it runs again'
);
select is(
  messenger_follow(test.id_of('Runs')) -> 'progress' ->> 'value', '0.5', 'the other has its own'
);

select * from finish();
rollback;
