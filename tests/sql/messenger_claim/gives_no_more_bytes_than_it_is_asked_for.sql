-- But at least one message; and it says that there may be more.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.fill(times integer, payload jsonb) returns void
language sql
as $$
  truncate messenger_messages;
  insert into messenger_messages (type, payload, available_at)
  select 'A', fill.payload, messenger_now() from generate_series(1, times)
$$;
create function pg_temp.given(worker integer, bytes bigint) returns text
language sql
as $$
  select json_array_length(c.answer -> 'messages') || ' ' || (c.answer ->> 'more')
  from messenger_claim(test.token(worker), max_bytes => bytes) as c (answer)
$$;

select pg_temp.fill(10, jsonb_build_object('text', repeat('x', 1000000)));
select is(pg_temp.given(1, 3500000), '3 true', 'what repeats is measured as it is read');
select is(pg_temp.given(2, 3500000), '3 true', 'the next claim gives the next');
select is(pg_temp.given(3, 0), '1 true', 'one in any case');
select is(pg_temp.given(4, 8388608), '3 false', 'and then there are no more');

select pg_temp.fill(10, (
  select jsonb_agg(md5(n::text)) from generate_series(1, 30000) as n
));
select is(pg_temp.given(5, 3500000), '3 true', 'what does not repeat');
select is(
  (select json_array_length(messenger_claim(test.token(6), max_bytes => 3500000) -> 'messages')),
  3, 'in a scan from the head'
);
select pg_temp.fill(300, '{"small": true}');
select is(pg_temp.given(7, 8388608), '100 false', 'small ones are as many as are asked for');
update messenger_messages set stamps = jsonb_build_object('text', repeat('x', 1000000))
where id in (select id from messenger_messages where status = 'pending' order by id limit 5);
select is(pg_temp.given(8, 3500000), '3 true', 'stamps weigh as payloads do');

select * from finish();
rollback;
