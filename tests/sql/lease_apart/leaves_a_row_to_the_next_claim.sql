-- A passing fault is none of the row's, so that no dead letter tells of it.
begin;
select plan(7);

create function pg_temp.refuse() returns trigger language plpgsql as $$
begin
  if new.type = 'Slow' then
    perform pg_sleep(10);
  end if;
  raise exception using errcode = new.type, message = 'not now', detail = new.payload ->> 'detail';
end
$$;
create trigger refuse before update on messenger_messages
  for each row when (new.type <> 'Good' and new.status = 'processing') execute function pg_temp.refuse();

select messenger_enqueue('[
  {"type": "55P03", "payload": {"detail": ""}}, {"type": "53100", "payload": {"detail": ""}},
  {"type": "57014", "payload": {"detail": ""}}, {"type": "25006", "payload": {"detail": ""}},
  {"type": "PT503", "payload": {"detail": ""}}, {"type": "40P01", "payload": {"detail": "Process 7 waits."}}, {"type": "Good"}
]');
select is(
  json_array_length(messenger_claim(gen_random_uuid(), sweep => false, unread => true) -> 'crashed'), 1,
  'the message behind them is claimed'
);
select is((select count(*) from messenger_failed_messages), 0::bigint, 'none of them is a dead letter');
select is(
  (select count(*) from messenger_messages where status = 'pending' and attempts = 0), 6::bigint, 'all of them wait'
);
select is((select count(*) from messenger.leases), 1::bigint, 'and have no lease');

select messenger_enqueue('[{"type": "Slow", "payload": {"detail": ""}}, {"type": "Good"}]');
delete from messenger_messages where type not in ('Slow', 'Good') or status = 'processing';
set local statement_timeout = '300ms';
select is(
  json_array_length(messenger_claim(gen_random_uuid(), sweep => false, unread => true) -> 'crashed'), 1,
  'nor does a row whose trigger waits keep back another'
);
set local statement_timeout = 0;
select is((select count(*) from messenger_failed_messages), 0::bigint, 'it is no dead letter');
select is((select status from messenger_messages where type = 'Slow'), 'pending', 'it waits');

select * from finish();
rollback;
