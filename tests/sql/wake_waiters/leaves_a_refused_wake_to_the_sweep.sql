-- A trigger of a project's own refuses to let one message be woken: the emit is another's, and goes through.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
select messenger_dispatch(t, delay => interval '1 day') from unnest(array['A', 'Bad', 'C']) as t;
insert into messenger.waits select 'x', m.id from messenger_messages m;
insert into messenger_steps (message_id, handler, name, kind, status, details)
select m.id, 'handler', 'wait', 'wait', 'pending', '{"keys": ["x"], "cursors": {}}' from messenger_messages m;
create function public.test_refuse() returns trigger language plpgsql as $$
begin
  if new.type = 'Bad' and new.available_at < old.available_at then
    raise exception using errcode = coalesce(current_setting('test.code', true), 'P0001'), message = 'the project refuses it';
  end if;
  return new;
end
$$;
create trigger test_refuse before update on messenger_messages for each row execute function public.test_refuse();
create function pg_temp.due() returns text[] language sql
as $$ select array(select type from messenger_messages where available_at <= messenger.clock() order by id) $$;

select set_config('test.code', '55P03', true);
select lives_ok($$select messenger_emit('x')$$, 'an emit');
select lives_ok('set constraints all immediate', 'and its commit');
select is(pg_temp.due(), '{A,C}', 'the others are woken');
select results_eq('select message_id from messenger.waits', $$select test.id_of('Bad')$$, 'the refused one still waits');
select isnt_empty('select from messenger.event_notes', 'and is noted for the sweep');
select messenger.wake_noted_waiters();
select isnt_empty('select from messenger.event_notes', 'a fault that may pass leaves it to the next sweep');
select set_config('test.code', '45000', true);
select messenger.wake_noted_waiters();
select results_eq(
  'select type, reason, error from messenger_failed_messages',
  $$values ('Bad', 'unrecoverable', 'the message could not be woken: the project refuses it')$$, 'another makes it a dead letter'
);
select is_empty('select from messenger.event_notes', 'the note is gone');
select is_empty('select from messenger.waits', 'and the wait');
select * from finish();
rollback;
