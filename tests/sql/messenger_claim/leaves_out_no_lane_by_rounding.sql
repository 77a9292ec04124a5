-- Lanes that all have a backlog: each gets its share of every claim, whatever does not divide.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.taken(p_queues text, p_most integer) returns text language plpgsql as $$
declare
  claim jsonb := messenger_claim(gen_random_uuid(), p_most, queues => array[p_queues]);
begin
  return (
    select string_agg(split_part(q, '/', 2) || ':' || n, ' ' order by q)
    from (select m ->> 3 as q, count(*) as n from jsonb_array_elements(claim -> 'messages') as m group by 1) as t
  );
end
$$;

select test.dispatch_many(50, 'three/' || l) from unnest('{a,b,c}'::text[]) as l;
select is(pg_temp.taken('three', 4), 'a:2 b:1 c:1', 'four of three lanes');
select is(pg_temp.taken('three', 4), 'a:2 b:1 c:1', 'and again');
select is(pg_temp.taken('three', 2), 'a:1 b:1', 'fewer than the lanes: in turns');
select matches(pg_temp.taken('three', 2), 'c:1', 'the third has the next turn');

select test.dispatch_many(50, 'six/' || l) from unnest('{a,b,c,d,e,f}'::text[]) as l;
select is(pg_temp.taken('six', 10), 'a:2 b:2 c:2 d:2 e:1 f:1', 'ten of six lanes');

select test.dispatch_many(50, 'tiers/' || n) from generate_series(10, 28) as n;
select test.dispatch_many(50, 'tiers/gold');
insert into messenger_queues (name, weight) values ('tiers/gold', 1000);
select is(
  (select count(*) from regexp_matches(pg_temp.taken('tiers', 30), '\d+:1(?!\d)', 'g')), 19::bigint,
  'lanes beside one of a great weight get their message'
);

-- A second queue that uses less of the claim than its share.
select test.dispatch_many(5, 'limited/' || l) from unnest('{a,b,c,d,e}'::text[]) as l;
select test.dispatch_many(1, 'other');
insert into messenger_queues (name, lane_concurrency) values ('limited', 2)
on conflict (name) do update set lane_concurrency = 2;
select messenger_claim('00000000-0000-0000-0000-0000000000aa', 20, queues => '{limited,other}');
select is(
  (select max(n) from (
    select count(*) as n from messenger_messages m
    where m.lease_token = '00000000-0000-0000-0000-0000000000aa' and m.queue like 'limited/%' group by m.queue
  ) as l), 2::bigint, 'a lane keeps its limit when its queue is asked twice in one claim'
);

select * from finish();
rollback;
