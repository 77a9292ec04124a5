-- One message, with the payload of the last dispatch, due a while after it.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.save(p_payload jsonb) returns bigint language sql as $$
  select messenger_dispatch('Save', p_payload, dedupe_key => 'draft',
    dedupe_debounce => interval '30 seconds', dedupe_max_wait => interval '50 seconds')
$$;
create temp table first as select pg_temp.save('1') as id;
select is(
  (select available_at from messenger_messages), '2026-01-01 12:00:30Z'::timestamptz, 'the first is due after the debounce'
);
select test.set_clock('2026-01-01 12:00:10Z');
select is(pg_temp.save('2'), (select id from first), 'a repeat returns the first id');
select results_eq(
  'select payload, available_at from messenger_messages',
  $$values ('2'::jsonb, '2026-01-01 12:00:40Z'::timestamptz)$$, 'its payload wins, and the due time moves'
);
select test.set_clock('2026-01-01 12:00:35Z');
select pg_temp.save('null');
select results_eq(
  'select payload, available_at from messenger_messages',
  $$values ('null'::jsonb, '2026-01-01 12:00:50Z'::timestamptz)$$, 'at most max_wait after the first dispatch'
);
update messenger_messages set attempts = 1;
select isnt(pg_temp.save('3'), (select id from first), 'one that has started is not changed');
select results_eq(
  'select payload, dedupe_key, available_at from messenger_messages order by id',
  $$values ('null'::jsonb, null, '2026-01-01 12:00:50Z'::timestamptz),
    ('3', 'draft', '2026-01-01 12:01:05Z')$$, 'and gives its key to the next'
);

select * from finish();
rollback;
