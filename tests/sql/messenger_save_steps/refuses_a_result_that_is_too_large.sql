-- Workers bound a result more narrowly.
begin;
select plan(1);
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts)
values (1, 'A', 'processing', '00000000-0000-4000-8000-000000000001', 'infinity', 1);
select throws_ok(
  $$select messenger_save_steps(jsonb_build_array(jsonb_build_object(
    'id', 1, 'token', '00000000-0000-4000-8000-000000000001', 'steps', jsonb_build_array(jsonb_build_object(
      'handler', 'h', 'name', 'a', 'status', 'done', 'result', repeat('x', 393216)
    ))
  )))$$,
  '23514', null, 'it is refused'
);

select * from finish();
rollback;
