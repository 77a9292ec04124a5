-- jsonb holds short numbers in six times the bytes of their JSON, which is what a result is bounded by.
begin;
select plan(4);
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts)
values (1, 'A', 'processing', '00000000-0000-4000-8000-000000000001', 'infinity', 1);
create function save(kind text, result jsonb) returns jsonb language sql as $$
  select messenger_save_steps(jsonb_build_array(jsonb_build_object(
    'id', 1, 'token', '00000000-0000-4000-8000-000000000001', 'steps', jsonb_build_array(jsonb_build_object(
      'handler', 'h', 'name', kind, 'kind', kind, 'status', 'done', 'result', result
    ))
  )))
$$;
select is(
  save('step', to_jsonb(array_fill(1, array[131000]))), '{"stale": []}', '131,000 numbers, which are 262 kB of JSON'
);
select throws_ok(
  $$select save('effect', to_jsonb(array_fill(1, array[140000])))$$, '23514', null, 'and no more'
);
select is(
  save('all', to_jsonb(array_fill(repeat('x', 1000), array[1000]))), '{"stale": []}', 'a thousand children''s results'
);
select throws_ok(
  $$select save('wait', to_jsonb(array_fill(repeat('x', 1000), array[1000])))$$, '23514', null,
  'which no other call may have'
);
select * from finish();
rollback;
