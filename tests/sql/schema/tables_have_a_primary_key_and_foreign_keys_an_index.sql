-- Without the index each deletion of a parent reads the whole child.
begin;
select plan(2);

select is_empty(
  $$select relation from test.relations r where kind in ('r', 'p')
    and not exists (select from pg_constraint c where c.conrelid = r.oid and c.contype = 'p')$$,
  'primary keys'
);
select is_empty(
  $$select c.conname, r.relation
    from test.relations r join pg_constraint c on c.conrelid = r.oid and c.contype = 'f'
    where not exists (
      select from pg_index i
      where i.indrelid = r.oid and i.indpred is null
        and (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey
    )$$,
  'an index that begins with the columns of each foreign key'
);

select * from finish();
rollback;
