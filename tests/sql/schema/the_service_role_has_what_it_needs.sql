-- New projects grant it nothing by themselves.
begin;
select plan(4);

select is_empty(
  $$select relation, privilege
    from test.relations, unnest(array['select', 'insert', 'update', 'delete']) as privilege
    where kind in ('r', 'p') and not has_table_privilege('service_role', oid, privilege)$$,
  'tables'
);
select is_empty(
  $$select relation from test.relations
    where kind in ('v', 'm') and not has_table_privilege('service_role', oid, 'select')$$,
  'views'
);
select is_empty(
  $$select relation from test.relations
    where case when kind = 'S' then not has_sequence_privilege('service_role', oid, 'usage') end$$,
  'sequences'
);
select is_empty(
  $$select function from test.functions where not has_function_privilege('service_role', oid, 'execute')$$,
  'functions'
);

select * from finish();
rollback;
