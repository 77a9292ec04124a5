-- The bus is reached through the Edge Functions, or by who may act as the service role.
begin;
select plan(4);

create view pg_temp.outsiders as
  select unnest(array['anon', 'authenticated', 'public']) as role;

select is_empty(
  $$select role, relation from pg_temp.outsiders, test.relations
    where kind in ('r', 'p', 'v', 'm') and has_table_privilege(
      role, oid, 'select, insert, update, delete, truncate, references, trigger'
    )$$,
  'tables and views'
);
select is_empty(
  $$select role, relation from pg_temp.outsiders, test.relations
    where kind in ('r', 'p', 'v', 'm')
      and has_any_column_privilege(role, oid, 'select, insert, update, references')$$,
  'columns'
);
select is_empty(
  $$select role, relation from pg_temp.outsiders, test.relations
    where case when kind = 'S' then has_sequence_privilege(role, oid, 'usage, select, update') end$$,
  'sequences'
);
select is_empty(
  $$select role, function from pg_temp.outsiders, test.functions
    where has_function_privilege(role, oid, 'execute')$$,
  'functions'
);

select * from finish();
rollback;
