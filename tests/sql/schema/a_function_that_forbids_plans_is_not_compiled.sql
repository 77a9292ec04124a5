-- A forbidden plan that is taken all the same counts as so dear that Postgres compiles it, for 70 ms.
begin;
select plan(1);

select is_empty(
  $$select function from test.functions
    where exists (select from unnest(proconfig) as c where c like 'enable\_%=off')
      and not 'jit=off' = any (proconfig)$$,
  'each has jit off'
);

select * from finish();
rollback;
