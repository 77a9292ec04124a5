-- The names are those of the columns.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[{
  "type": "full", "payload": {"to": "a@b.c"}, "queue": "mail", "priority": 9,
  "available_at": "2026-01-02T00:00:00Z", "group_key": "g", "stamps": {"user": "u"}
}]');
select results_eq(
  $$select payload, queue collate "default", priority, available_at, group_key collate "default", stamps from messenger_messages$$,
  $$values ('{"to":"a@b.c"}'::jsonb, 'mail', 9::smallint, '2026-01-02Z'::timestamptz, 'g',
    '{"user":"u"}'::jsonb)$$,
  'each field stands in its column'
);

select * from finish();
rollback;
