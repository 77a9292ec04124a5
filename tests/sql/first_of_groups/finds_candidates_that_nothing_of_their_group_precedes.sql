begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.first_of(wanted text[], group_keys text[]) returns text[] language sql as $$
  select coalesce(array_agg(m.type order by m.id), '{}') from messenger_messages m
  where m.id = any (messenger.first_of_groups(
    'default', (select array_agg(w.id order by w.id) from messenger_messages w where w.type = any (wanted)),
    (select array_agg(w.group_key order by w.id) from messenger_messages w where w.type = any (wanted)),
    group_keys
  ))
$$;

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C', 'D');
select is(
  pg_temp.first_of(array['A', 'B', 'C', 'D'], array['g', 'h']), array['A', 'C'],
  'the first of each group'
);
select is(
  pg_temp.first_of(array['A', 'C'], array['h']), array['C'], 'of the groups that are asked for'
);
select is(
  pg_temp.first_of(array['B', 'C'], array['g', 'h']), array['C'],
  'none that has an earlier one in front of it'
);
update messenger_messages set available_at = '9999-01-01Z' where type = 'C';
select is(
  pg_temp.first_of(array['D'], array['h']), '{}', 'also where the earlier one waits for its retry'
);
select test.claimed(1);
select is(pg_temp.first_of(array['B'], array['g']), '{}', 'none of a group of which one runs');

select * from finish();
rollback;
