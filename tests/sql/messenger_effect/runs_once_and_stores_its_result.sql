-- The function takes effect and its result is stored in one transaction, under the lease.
begin;
select plan(11);
select test.set_clock('2026-01-01 12:00Z');

create table public.booked (id bigint generated always as identity, customer text);
create function public.book_order(customer text, note text default 'none') returns jsonb language plpgsql as $$
begin
  -- Found by the search path of the Data API.
  insert into booked (customer) values (book_order.customer);
  return jsonb_build_object('customer', customer, 'note', note);
end $$;
select test.dispatch('A');
select test.claim(test.token(1));
update messenger_messages set retry_count = 3, expires_at = messenger_now();
create function pg_temp.effect(nth integer, worker integer default 1) returns jsonb language sql as $$
  select messenger_effect(
    test.id_of('A'), test.token(worker), '"v2"',
    jsonb_build_object('handler', 'handler', 'name', 'book_order', 'key', '', 'nth', nth),
    'book_order', '{"customer": "ada"}'
  )
$$;

select is(
  pg_temp.effect(1), '{"result": {"customer": "ada", "note": "none"}}', 'the first call runs the function'
);
select is(
  pg_temp.effect(1), '{"result": {"customer": "ada", "note": "none"}}', 'a repeated call returns the stored result'
);
select is((select count(*) from booked), 1::bigint, 'and does not run the function again');
select results_eq(
  'select handler, name, nth, kind, status from messenger_steps',
  $$values ('handler', 'book_order', 1, 'effect', 'done')$$, 'it is a step'
);
select results_eq(
  $$select retry_count, expires_at, stamps -> 'durable' ->> 'version' from messenger_messages$$,
  $$values (0, null::timestamptz, 'v2')$$, 'which is progress, like every stored step'
);
select is(pg_temp.effect(2, 2), '{"stale": true}', 'a worker whose lease is another''s is told so');
select is((select count(*) from booked), 1::bigint, 'and runs nothing');
select is(pg_temp.effect(2) -> 'result' ->> 'customer', 'ada', 'the second call of the handler is another step');
select is((select count(*) from booked), 2::bigint, 'and runs the function');

create function public.cancel_all() returns integer language sql as 'select messenger_cancel("all" => true); select 1';
select is(
  messenger_effect(
    test.id_of('A'), test.token(1), '"v2"', '{"handler": "handler", "name": "cancel", "key": "", "nth": 1}', 'cancel_all'
  ),
  '{"result": 1, "cancelled": true}', 'a function that cancels its own message is told with the result'
);
select is((select result from messenger_steps where name = 'cancel'), '1', 'which is stored');

select * from finish();
rollback;
