-- Fifty large ones are a short list.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

alter table messenger_messages alter column payload set storage external;
insert into messenger_messages (type, payload)
select 'A', jsonb_build_object('text', repeat('x', 1000000)) from generate_series(1, 50) as n;
select cmp_ok(pg_column_size(messenger_list_messages()), '<', 100000, 'without payloads');
select is(
  test.large_values_read_by('select messenger_list_messages()', 'messenger_messages'),
  0::bigint, 'none is read'
);
select set_eq(
  $$select jsonb_object_keys(messenger_list_messages() #> '{messages,0}')$$,
  $$select attname::text from pg_attribute where attrelid = 'messenger_messages'::regclass
      and attnum > 0 and attname not in ('payload', 'stamps', 'errors', 'lease_token', 'heartbeated', 'dedupe_until_started',
        'held_until_claim')
      union values ('error'), ('user')$$,
  'it has every other column'
);

select * from finish();
rollback;
