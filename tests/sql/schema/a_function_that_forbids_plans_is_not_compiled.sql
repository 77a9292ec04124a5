-- A forbidden plan that is taken all the same counts as so dear that Postgres compiles it, for 70 ms.
begin;
select plan(1);

select is_empty(
  $$select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%'
      and exists (select from unnest(p.proconfig) as c where c like 'enable\_%=off')
      and not 'jit=off' = any (p.proconfig)$$,
  'each has jit off'
);

select * from finish();
rollback;
