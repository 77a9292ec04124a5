-- However many messages there are, of others and of the same user.
begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');
-- Every tenth message is ann's. All of hers are of the type A, but the oldest 20.
insert into messenger_messages (type, stamps)
select case when n <= 200 then 'Old' else 'A' end,
  jsonb_build_object('user', jsonb_build_object('id', case when n % 10 = 0 then 'ann' else 'bob' end))
from generate_series(1, 50000) as n;
insert into messenger_failed_messages (id, type, payload, queue, reason, stamps, created_at)
select n, 'A', '{}', 'default', 'exhausted', '{"user":{"id":"bob"}}', messenger_now()
from generate_series(100001, 120000) as n;
insert into messenger_handled_messages
select n, 'A', 'default', 'bob', 1, messenger_now(), messenger_now(), 'infinity'
from generate_series(200001, 220000) as n;

create function pg_temp.read_by(call text) returns bigint
language sql
as $$
  select sum(test.rows_read_by('select ' || call, t)) from unnest(array[
    'messenger_messages', 'messenger_failed_messages', 'messenger_handled_messages'
  ]::regclass[]) as t
$$;

do $$ begin perform set_config('test.round', 'before there are statistics', true); end $$;
select cmp_ok(
  pg_temp.read_by(call), '<', most, format('%s: %s', call, current_setting('test.round'))
)
from (values
  ($$messenger_list_user_messages('ann', max_messages => 20)$$, 1000::bigint),
  ($$messenger_list_user_messages('bob', max_messages => 20)$$, 1000),
  ($$messenger_list_user_messages('cay', max_messages => 20)$$, 100),
  ($$messenger_list_user_messages('ann', status => 'failed')$$, 100),
  ($$messenger_list_user_messages('ann', 'Old', max_scanned => 500)$$, 5000)
) as c (call, most);
analyze messenger_messages, messenger_failed_messages, messenger_handled_messages;
do $$ begin perform set_config('test.round', 'with statistics', true); end $$;
select cmp_ok(
  pg_temp.read_by(call), '<', most, format('%s: %s', call, current_setting('test.round'))
)
from (values
  ($$messenger_list_user_messages('ann', max_messages => 20)$$, 1000::bigint),
  ($$messenger_list_user_messages('bob', max_messages => 20)$$, 1000),
  ($$messenger_list_user_messages('cay', max_messages => 20)$$, 100),
  ($$messenger_list_user_messages('ann', status => 'failed')$$, 100)
) as c (call, most);
select is(
  messenger_list_user_messages('ann', 'Old', max_scanned => 500),
  jsonb_build_object('messages', '[]'::jsonb, 'next', (
    select m.id::text from messenger_messages m
    where m.stamps #>> '{user,id}' = 'ann' order by m.id desc offset 499 limit 1
  )),
  'a page that met the bound is short, and says where to continue'
);

select * from finish();
rollback;
