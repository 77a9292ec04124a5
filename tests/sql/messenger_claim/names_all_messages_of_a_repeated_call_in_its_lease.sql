-- Whether the first call arrived or not; the row of its token may be there already.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
-- The types that the lease of a token names, as often as it does.
create function pg_temp.named(token uuid) returns text[] language sql as $$
  select array(
    select m.type from messenger.leases l, unnest(l.ids) as i (id), messenger_messages m
    where l.token = named.token and m.id = i.id order by 1
  )
$$;

select test.dispatch('A', 'B');
select test.claim(test.token(1), repeated => true);
select is(pg_temp.named(test.token(1)), array['A', 'B'], 'the first never arrived');

select test.claim(test.token(1), repeated => true);
select is(pg_temp.named(test.token(1)), array['A', 'B'], 'it did, and each is named once');
select is((select open from messenger.leases), 2, 'and is open once');
select test.set_clock('2026-01-01 12:00:10Z');
select test.claim(test.token(1), repeated => true);
select cmp_ok(
  (select leased_until from messenger.leases), '<=',
  (select min(leased_until) from messenger_messages), 'no lease of them ends before the row''s'
);

select test.set_clock('2026-01-01 12:05Z');
create temp table sweep as select test.claim(test.token(2)) as answer;
select test.dispatch('C');
create temp table repeat as select test.claim(test.token(2), repeated => true) as answer;
select is(
  (select test.types(answer -> 'crashed') from repeat), array['A', 'B'], 'a sweep is repeated'
);
select is(
  pg_temp.named((select (answer ->> 'crashed_token')::uuid from sweep)), array['A', 'B'],
  'under its second token'
);

select test.claim(test.token(3), 1);
select test.dispatch('D', 'E');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(3), 'released', test.ids('C')
)));
select test.claim(test.token(3), 1, repeated => true);
select test.claim(test.token(3), repeated => true);
select is(pg_temp.named(test.token(3)), array['C'], 'a message that was given back meanwhile is claimed again');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(3), 'handled', test.ids('C')
)));
select is_empty(
  $$select * from messenger.leases where token = test.token(3)$$, 'and the row goes with it'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', (select answer ->> 'crashed_token' from sweep), 'handled', test.ids('A', 'B')
)));
select is_empty('select * from messenger.leases', 'as the others do');

select * from finish();
rollback;
