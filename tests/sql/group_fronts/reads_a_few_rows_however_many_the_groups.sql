-- 100,000 groups of one and one of 20,000 beside them: with and without statistics, under plans made for
-- the arguments and for any.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, group_key) select 'A', 'g' || n from generate_series(1, 100000) n;
insert into messenger_messages (type, group_key, blocked)
select 'A', 'long', n > 10000 from generate_series(1, 20000) n;
-- Entries of any index, and rows.
create function pg_temp.read_by(keys text[]) returns bigint language sql as $$
  select test.rows_read_by(format(
    'select * from messenger.group_fronts(array_fill(%L::text, array[%s]), %L)',
    'default', cardinality(keys), keys
  ))
$$;
create function pg_temp.keys() returns text[] language sql
as $$ select array_agg('g' || n * 100) from generate_series(1, 500) n $$;

set local plan_cache_mode = force_custom_plan;
select cmp_ok(pg_temp.read_by('{g7}'), '<', 10::bigint, 'one group of one, without statistics');
select cmp_ok(pg_temp.read_by('{long}'), '<', 10::bigint, 'the long one');
set local plan_cache_mode = force_generic_plan;
select cmp_ok(pg_temp.read_by(pg_temp.keys()), '<', 2000::bigint, '500 groups, under a generic plan');
select cmp_ok(pg_temp.read_by('{long}'), '<', 10::bigint, 'and the long one');
analyze messenger_messages;
select cmp_ok(pg_temp.read_by(pg_temp.keys()), '<', 2000::bigint, '500 groups, with statistics');
select cmp_ok(pg_temp.read_by('{long}'), '<', 10::bigint, 'the long one');
set local plan_cache_mode = force_custom_plan;
select cmp_ok(pg_temp.read_by('{g7}'), '<', 10::bigint, 'one group of one, under a custom plan');
select cmp_ok(pg_temp.read_by('{long}'), '<', 10::bigint, 'and the long one');

select * from finish();
rollback;
