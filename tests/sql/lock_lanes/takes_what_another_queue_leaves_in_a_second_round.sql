-- The first round gives each queue half. The second one continues where the first ended, in each lane and priority.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.ids(answer jsonb) returns text[] language sql as $$
  select array_agg(m ->> 'id') from jsonb_array_elements(answer -> 'messages') as m
$$;
create temporary table answer as select null::jsonb as claim;

insert into messenger_messages (type, queue, priority, available_at)
select 'A' || p, 'reports/' || lane, p, messenger_now()
from unnest(array['a', 'b', 'c']) as lane, generate_series(1, 4) as p, generate_series(1, 2);
select test.dispatch_many(1, 'mail');
update answer set claim = test.claim(test.token(1), 20);
select is((select jsonb_array_length(claim -> 'messages') from answer), 20, 'the claim is full');
select is((select count(distinct i) from answer, unnest(pg_temp.ids(claim)) as i), 20::bigint, 'and has no message twice');
select is(test.claim(test.token(2), 20) #> '{messages,4}' is not null, true, 'the next one has the rest');
select is((select count(*) from messenger_messages where status = 'pending'), 0::bigint, 'all of it');

insert into messenger_messages (type, queue, available_at)
select 'One', 'reports/l' || n, messenger_now() from generate_series(1, 40) as n;
select test.dispatch_many(1, 'mail');
update answer set claim = test.claim(test.token(3), 20);
select is((select jsonb_array_length(claim -> 'messages') from answer), 20, 'further lanes fill a claim');

select messenger_cancel(queue => 'reports');
insert into messenger_messages (type, queue, priority, available_at)
select 'Deep', 'reports/' || lane, n % 2, messenger_now() from unnest(array['x', 'y']) as lane, generate_series(1, 100) as n;
select test.dispatch_many(1, 'mail');
update answer set claim = test.claim(test.token(4), 60);
select is((select jsonb_array_length(claim -> 'messages') from answer), 60, 'so do deep lanes');
select is(
  (select array(select jsonb_object_keys(claim -> 'last_keys') order by 1) from answer), array['reports/x', 'reports/y'],
  'whose keys it returns'
);

select messenger_cancel(queue => 'reports');
delete from messenger.lane_turns where true;
insert into messenger_messages (type, queue, available_at)
select 'One', 'reports/a' || n, messenger_now() from generate_series(10, 21) as n;
select test.dispatch_many(6, 'reports/z'), test.dispatch_many(1, 'mail');
select is(
  jsonb_array_length(test.claim(test.token(5), 25) -> 'messages'), 19, 'lanes that are empty by then are not in the way of others'
);

select * from finish();
rollback;
