begin isolation level repeatable read;
select plan(3);

insert into messenger_messages (type, available_at) values ('W', now() + interval '1 day');
insert into messenger.waits select 'x', m.id from messenger_messages m;
select messenger_emit('x');
set constraints all immediate;
select is(
  (select count(*) from messenger_messages where available_at <= messenger.clock()), 0::bigint,
  'an emit that cannot see who waits now wakes none'
);
select is((select array_agg(event) from messenger.event_notes), array['x'], 'but leaves a note');
select isnt_empty('select from messenger_ticks', 'and asks for a tick');

select * from finish();
rollback;
