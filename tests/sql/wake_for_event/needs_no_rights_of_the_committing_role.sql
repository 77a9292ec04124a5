-- A function of the user's that has its owner's rights emits, and the role that commits may not use the bus.
begin;
select plan(2);

insert into messenger_messages (type, available_at) values ('W', now() + interval '1 day');
insert into messenger.waits select 'x', m.id from messenger_messages m;
create function approve() returns text language sql security definer
as $$ select public.messenger_emit('x') $$;
grant execute on function approve() to authenticated;
set local role authenticated;
select lives_ok('select approve()', 'it emits');
select lives_ok('set constraints all immediate', 'and wakes the message');

select * from finish();
rollback;
