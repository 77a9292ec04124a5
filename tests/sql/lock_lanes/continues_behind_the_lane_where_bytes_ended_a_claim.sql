-- Each message fills a third of what a claim may hand out, so no claim reaches every lane.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, payload, available_at)
select 'Big', 'reports' || lane, to_jsonb(repeat(md5(lane), 30)), messenger_now()
from unnest(array['', '/a', '/b', '/c', '/d', '/e']) as lane, generate_series(1, 4);
alter table messenger_messages alter column payload set storage external;
create temporary table served (claim integer, queue text);
create function pg_temp.serve(claims int4range, queues text[] default null) returns text[] language sql as $$
  insert into served
  select c.claim, m ->> 'queue' from generate_series(lower(claims), upper(claims) - 1) as c (claim),
    lateral jsonb_array_elements(
      test.claim(test.token(c.claim), 20, max_bytes => 3000, queues => queues) -> 'messages'
    ) as m;
  select array_agg(s.queue order by s.queue) from served s where claims @> s.claim
$$;
select is(
  pg_temp.serve('[1,3)'), array['reports', 'reports/a', 'reports/b', 'reports/c', 'reports/d', 'reports/e'],
  'every lane has its turn, and so have the messages that are in no lane'
);
select is(
  pg_temp.serve('[3,5)'), array['reports', 'reports/a', 'reports/b', 'reports/c', 'reports/d', 'reports/e'],
  'and again'
);
select is(
  pg_temp.serve('[5,7)', array['reports/e', 'reports/d', 'reports/c', 'reports/b', 'reports/a', 'reports']),
  array['reports', 'reports/a', 'reports/b', 'reports/c', 'reports/d', 'reports/e'], 'also where a worker names them'
);

select * from finish();
rollback;
