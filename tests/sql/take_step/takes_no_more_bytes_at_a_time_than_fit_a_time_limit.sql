-- A hundred payloads of 8 MB met the time limit of their call: it was rolled back, and so was every other try.
begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, case when n = 3 then 'Other' else 'Bulk' end,
  jsonb_build_object('text', case when n in (2, 3, 4, 5) then repeat('x', 4000000 + n) else 'small' end), 'default',
  'exhausted', messenger_now(), messenger_now() - n * interval '1 second'
from generate_series(1, 9) as n;
-- Not compressed, so that they are as large as they say.
create function pg_temp.first(filter jsonb, max_bytes bigint, max_rows integer default 100) returns jsonb language sql
as $$
  select jsonb_build_object('ids', m.matched, 'missing', m.missing, 'next', m.last ->> 'id')
  from messenger.next_matches('redrive', filter, messenger.begin_step(null, null, false), max_rows, max_bytes) as m
$$;
alter table messenger_failed_messages alter column payload set storage external;
update messenger_failed_messages set payload = payload || '{"a": 1}';

select is(
  pg_temp.first('{}', null), '{"ids":[9,8,7,6,5,4,3,2,1],"missing":null,"next":null}', 'any number of bytes'
);
select is(
  pg_temp.first('{}', 5000000), '{"ids":[9,8,7,6,5,4],"missing":null,"next":"4"}', 'it ends with the bytes'
);
select is(pg_temp.first('{}', 100), '{"ids":[9,8,7],"missing":null,"next":"7"}', 'of small ones too');
select is(
  pg_temp.first('{"type": "Bulk"}', 5000000), '{"ids":[9,8,7,6,5,4],"missing":null,"next":"4"}', 'by type'
);
select is(
  pg_temp.first('{"reason": "expired"}', 1), '{"ids":[],"missing":null,"next":null}', 'what is not meant has no bytes'
);
select is(
  pg_temp.first('{"ids": [8, 5, 1, 2, 77, 3, 0]}', 1), '{"ids":[1],"missing":[0],"next":"1"}', 'by ids, one at least'
);
select is(
  pg_temp.first('{"ids": [8, 5, 1, 2, 77, 3, 0]}', 4000000), '{"ids":[1,2],"missing":[0],"next":"2"}', 'and as many as fit'
);
select is(
  messenger_redrive(ids => array[8, 5, 1, 2, 77, 3, 0, 4]) - 'next',
  '{"done":6,"left":{"count":0,"capped":false},"matched":6,"missing":["0","77"],"running":0}',
  'a step continues behind them by ids'
);
select is((messenger_redrive("all" => true) ->> 'done')::integer, 3, 'and by a filter');
select is((messenger_cancel("all" => true) ->> 'done')::integer, 9, 'a cancel too');

select * from finish();
rollback;
