-- A trigger of the project's own that returns null skips a row without a word.
begin;
select plan(11);

create function pg_temp.skip() returns trigger language plpgsql as $$
begin
  if coalesce(new.type, old.type) = 'Skipped' then
    return null;
  end if;
  return coalesce(new, old);
end
$$;

create trigger skip before insert on messenger_messages for each row execute function pg_temp.skip();
select throws_ok(
  $$select messenger_enqueue('[{"type": "A"}, {"type": "Skipped"}, {"type": "A"}]')$$, 'PT500',
  'messenger_messages: a trigger of the project has not let a row be written or deleted',
  'a dispatch names the table, for the ids would stand for other messages'
);
select throws_ok(
  $$select messenger_enqueue('[{"type": "A"}, {"type": "Skipped", "group_key": "g"}]')$$, 'PT500', null,
  'so does one of a message in a group'
);
select throws_ok(
  $$select messenger_enqueue('[{"type": "Skipped", "idempotency_key": "k"}]')$$, 'PT500', null,
  'so does one with an idempotency key'
);
select throws_ok(
  $$select messenger_enqueue('[{"type": "Skipped", "dedupe_key": "k"}]')$$, 'PT500', null,
  'so does one with a dedupe key'
);
select throws_ok(
  $$select messenger_enqueue('[{"type": "A", "dedupe_key": "a"}, {"type": "Skipped", "dedupe_key": "k"}]')$$, 'PT503', null,
  'one with two of them writes nothing either'
);
select throws_ok(
  $$select messenger.enqueue_reserved('[{"id": 1, "type": "A"}, {"id": 2, "type": "Skipped"}]')$$, 'PT500', null,
  'so does what a handler dispatches'
);
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
values (7, 'Skipped', '{}', 'default', 'exhausted', now());
select throws_ok(
  $$select messenger_redrive(ids => '{7}')$$, 'PT500', null, 'a redrive keeps the dead letter'
);
drop trigger skip on messenger_messages;

create trigger skip before insert on messenger_failed_messages for each row execute function pg_temp.skip();
create temporary table claimed as
select (messenger_enqueue('[{"type": "A"}, {"type": "Skipped"}]') -> 'ids') as ids;
create temporary table leased as
select (messenger_claim(gen_random_uuid()) ->> 'token')::uuid as token;
prepare bury as select messenger_settle(jsonb_build_array(jsonb_build_object('token', token, 'dead', jsonb_build_array(
  jsonb_build_object('id', ids -> 1, 'reason', 'exhausted')
)))) from leased, claimed;
select throws_ok(
  'bury', 'PT500', 'messenger_failed_messages: a trigger of the project has not let a row be written or deleted',
  'a message that cannot be a dead letter stays'
);
drop trigger skip on messenger_failed_messages;

create trigger skip before update or delete on messenger_messages for each row execute function pg_temp.skip();
prepare handle as select messenger_settle(jsonb_build_array(jsonb_build_object('token', token, 'handled', ids)))
  from leased, claimed;
select throws_ok('handle', 'PT500', null, 'a message that is kept from its deletion does not count as another worker''s');
prepare retry as select messenger_settle(jsonb_build_array(jsonb_build_object('token', token, 'retries', jsonb_build_array(
  jsonb_build_object('id', ids -> 1, 'delay_ms', 0, 'retry_count', 1)
)))) from leased, claimed;
select throws_ok('retry', 'PT500', null, 'nor does one that is kept from its retry');
drop trigger skip on messenger_messages;
select is(
  (select messenger_settle(jsonb_build_array(jsonb_build_object('token', token, 'handled', ids))) from leased, claimed),
  '{"stale": []}', 'without the trigger both are handled'
);

select * from finish();
rollback;
