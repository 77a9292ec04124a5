begin;
select plan(4);

select messenger_write_batch(
  '{"name":"members","idempotency_key":"b-1"}',
  '[{"type":"A","payload":{}},{"type":"B","payload":{}}]', 1, true, true
);
insert into messenger.waits (message_id, event) select id, 'approved' from messenger_messages where type = 'B';
insert into messenger.cancel_notes (message_id) select id from messenger_messages where type = 'B';
create function pg_temp.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'not now';
end
$$;
create trigger refuse before update on messenger_messages
  for each row when (new.type = 'B') execute function pg_temp.refuse();

select is(
  (select json_array_length(messenger_claim(gen_random_uuid(), 2, sweep => false, unread => true) -> 'crashed')), 1,
  'the other message is claimed'
);
select is(
  (select array_agg(f.type || ' ' || f.reason) from messenger_failed_messages f), array['B unrecoverable'],
  'the message whose lease is refused is a dead letter'
);
select is(
  (select sum(d.dead) from messenger.batch_deltas d), 1::bigint, 'the batch counts it once'
);
select is(
  (select count(*) from messenger.waits) + (select count(*) from messenger.cancel_notes), 0::bigint,
  'neither its wait nor the note of its cancel stays'
);

select * from finish();
rollback;
