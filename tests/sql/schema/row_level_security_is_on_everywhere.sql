-- With no policy, so that even a grant made by mistake shows nothing.
begin;
select plan(3);

select is_empty(
  $$select relation from test.relations where kind in ('r', 'p') and not relrowsecurity$$,
  'on every table'
);
select is_empty(
  $$select p.polname, r.relation from test.relations r join pg_policy p on p.polrelid = r.oid
    where p.polroles && array[0, 'anon'::regrole, 'authenticated'::regrole]::oid[]$$,
  'no policy lets anybody in'
);
select is_empty(
  $$select relation from test.relations
    where kind = 'v' and not coalesce('security_invoker=true' = any (reloptions)
      or 'security_invoker=on' = any (reloptions), false)$$,
  'a view shows its caller no more than the tables would'
);

select * from finish();
rollback;
