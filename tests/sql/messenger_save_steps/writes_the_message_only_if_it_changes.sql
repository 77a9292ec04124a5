-- A message with steps, and without retries, is not written when a step is stored.
begin;
select plan(2);
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts)
values (1, 'A', 'processing', '00000000-0000-4000-8000-000000000001', 'infinity', 1);
create function save(name text) returns jsonb language sql as $$
  select messenger_save_steps(jsonb_build_array(jsonb_build_object(
    'id', 1, 'token', '00000000-0000-4000-8000-000000000001', 'steps',
    jsonb_build_array(jsonb_build_object('handler', 'h', 'name', name, 'status', 'done'))
  )))
$$;
select save('a');
create temp table before as select ctid as place from messenger_messages;
select save('b');
select is((select count(*)::integer from messenger_steps), 2, 'both steps are there');
select is((select ctid from messenger_messages), (select place from before), 'the row is where it was');

select * from finish();
rollback;
