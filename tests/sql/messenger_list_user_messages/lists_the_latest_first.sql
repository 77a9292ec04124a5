-- Of all three tables in one order, a page at a time, and of no other user.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');
-- Ids 1 to 9 of ann, from three tables by turns; 10 is bob's and 11 a backend's.
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts, stamps)
values
  (1, 'A', 'pending', null, null, 0, '{"user":{"id":"ann"}}'),
  (4, 'B', 'pending', null, null, 2, '{"user":{"id":"ann"}}'),
  (7, 'A', 'processing', test.token(1), '2026-01-01 13:00Z', 1, '{"user":{"id":"ann"}}'),
  (10, 'A', 'pending', null, null, 0, '{"user":{"id":"bob"}}'),
  (11, 'A', 'pending', null, null, 0, null);
insert into messenger_failed_messages (id, type, payload, queue, reason, stamps, created_at)
select id, type, '{}', 'default', reason, '{"user":{"id":"ann"}}', messenger_now()
from (values (2, 'A', 'exhausted'), (5, 'B', 'cancelled'), (8, 'A', 'invalid')) as f (id, type, reason);
insert into messenger_handled_messages
select id, type, 'default', 'ann', 1, messenger_now(), messenger_now(), keep_until
from (values (3, 'A', 'infinity'::timestamptz), (6, 'B', messenger_now()), (9, 'B', 'infinity')) as h (id, type, keep_until);

create function pg_temp.ids(page jsonb) returns text[]
language sql
as $$ select array(select m ->> 'id' from jsonb_array_elements(page -> 'messages') as m) $$;

select is(
  pg_temp.ids(messenger_list_user_messages('ann')), array['9','8','7','5','4','3','2','1'],
  'the latest first, without what is forgotten'
);
select is(messenger_list_user_messages('ann') -> 'next', 'null', 'there are no more');
select is(
  messenger_list_user_messages('ann') -> 'messages' -> 2, messenger_follow(7),
  'each as messenger_follow returns it'
);
select is(
  messenger_list_user_messages('ann', max_messages => 3) -> 'next', '"7"', 'a page ends with the last that it has'
);
select is(
  pg_temp.ids(messenger_list_user_messages('ann', max_messages => 3, before_id => 7)),
  array['5','4','3'], 'and the next continues behind it'
);
select is(
  messenger_list_user_messages('ann', max_messages => 2, before_id => 3),
  jsonb_build_object('messages', jsonb_build_array(messenger_follow(2), messenger_follow(1)), 'next', null),
  'a full page that is the last says so'
);
select is(pg_temp.ids(messenger_list_user_messages('ann', 'B')), array['9','5','4'], 'of a type');
select is(
  array(
    select pg_temp.ids(messenger_list_user_messages('ann', status => s))::text
    from unnest(array['pending','processing','retrying','handled','failed','cancelled']) as s
  ),
  array['{1}','{7}','{4}','{9,3}','{8,2}','{5}'], 'in a status'
);
select is(
  pg_temp.ids(messenger_list_user_messages('ann', 'A', 'failed')), array['8','2'], 'of both'
);
select is(pg_temp.ids(messenger_list_user_messages('bob')), array['10'], 'of another user');
select is(
  messenger_list_user_messages('cay'), '{"messages":[],"next":null}', 'of one who has none'
);
select is(messenger_list_user_messages(null), '{"messages":[],"next":null}', 'of no user');

select * from finish();
rollback;
