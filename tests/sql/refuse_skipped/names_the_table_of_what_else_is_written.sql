-- A trigger that returns null skips a row: heartbeats, cancels, schedules, batches, queues and the outbox tell so.
begin;
select plan(12);

create function pg_temp.skip() returns trigger language plpgsql as $$
begin
  return case when to_jsonb(coalesce(new, old)) ->> tg_argv[0] <> 'Skipped' then coalesce(new, old) end;
end
$$;

create trigger skip before insert on messenger_schedules for each row execute function pg_temp.skip('message_type');
select throws_ok(
  $$select messenger_save_schedules('[{"message_type": "Skipped", "schedule_type": "interval", "interval_ms": 60000}]')$$,
  'PT500', 'messenger_schedules: a trigger of the project has not let a row be written or deleted',
  'a new schedule without a name'
);
select throws_ok(
  $$select messenger_save_schedules('[{"name": "n", "message_type": "Skipped", "schedule_type": "interval", "interval_ms": 60000}]')$$,
  'PT500', null, 'one with a name'
);
drop trigger skip on messenger_schedules;

create trigger skip before insert on messenger_batches for each row execute function pg_temp.skip('name');
select throws_ok(
  $$select messenger_dispatch_batch('[{"type": "A"}]', 'Skipped')$$, 'PT500', null, 'a batch'
);
create trigger skip before insert on messenger_messages for each row execute function pg_temp.skip('type');
select throws_ok(
  $$select messenger_dispatch_batch('[{"type": "A"}, {"type": "Skipped"}]', 'b')$$, 'PT500', null, 'a member of a batch'
);
select throws_ok(
  $$select messenger_enqueue_body('{"type": "Skipped", "payloads": [{}, {}]}')$$, 'PT500', null, 'messages that are alike'
);
drop trigger skip on messenger_messages;

create trigger skip before insert on messenger_queues for each row execute function pg_temp.skip('name');
select throws_ok($$select messenger_create_queue('Skipped')$$, 'PT500', null, 'a queue');
drop trigger skip on messenger_queues;

create temporary table claimed as select (messenger_enqueue('[{"type": "A"}, {"type": "Skipped"}]') -> 'ids') as ids;
create temporary table leased as select (messenger_claim(gen_random_uuid()) ->> 'token') as token;
create trigger skip before update on messenger_messages for each row execute function pg_temp.skip('type');
prepare beat as select messenger_heartbeat(jsonb_build_array(jsonb_build_object('token', token, 'ids', ids)))
  from leased, claimed;
select throws_ok('beat', 'PT500', null, 'a heartbeat, for another worker would take the message while its handler runs');
prepare beat_of_the_other as select messenger_heartbeat(jsonb_build_array(jsonb_build_object(
  'token', token, 'ids', jsonb_build_array(ids -> 0)
))) from leased, claimed;
select lives_ok('beat_of_the_other', 'and not that of another message');
select throws_ok($$select messenger_cancel(type => 'Skipped')$$, 'PT500', null, 'a cancel of a running message');
select is(
  messenger_cancel(type => 'A') - 'left' - 'next' - 'missing', '{"matched": 1, "done": 0, "running": 1}',
  'and not that of another message'
);

-- A sweep cancels the others.
select messenger_enqueue('[{"type": "Skipped"}, {"type": "Noted"}]');
insert into messenger.cancel_notes (message_id)
select id from messenger_messages where status = 'pending' order by id;
select lives_ok($$select messenger.sweep_cancels()$$, 'a sweep takes the others that a cancel has noted');
select is((select string_agg(type, ' ') from messenger_failed_messages), 'Noted', 'so that only they are cancelled');

select * from finish();
rollback;
