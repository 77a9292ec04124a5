-- The dashboard shows them to operators.
begin;
select plan(5);

select is_empty(
  $$select relation from test.relations
    where kind in ('r', 'p', 'v', 'm') and obj_description(oid, 'pg_class') is null$$,
  'tables and views'
);
select is_empty(
  $$select r.relation, a.attname from test.relations r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    where r.kind in ('r', 'p', 'v', 'm') and col_description(r.oid, a.attnum) is null$$,
  'columns'
);
select is_empty(
  $$select relation from test.relations r
    where kind in ('i', 'I') and obj_description(oid, 'pg_class') is null
      and not exists (select from pg_constraint c where c.conindid = r.oid)$$,
  'indexes, but for those of a constraint'
);
select is_empty(
  $$select function from test.functions where obj_description(oid, 'pg_proc') is null$$, 'functions'
);
select is_empty(
  $$select t.typname from pg_type t
    where (t.typnamespace = 'messenger'::regnamespace
        or t.typnamespace = 'public'::regnamespace and t.typname like 'messenger\_%')
      and t.typtype in ('e', 'd') and obj_description(t.oid, 'pg_type') is null$$,
  'enums and domains'
);

select * from finish();
rollback;
