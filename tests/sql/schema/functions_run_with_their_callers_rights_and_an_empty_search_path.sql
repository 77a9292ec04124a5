-- What Supabase's advisors ask for, and what makes the grants mean something.
begin;
select plan(2);

select is_empty(
  $$select function from test.functions where prosecdef$$, 'security invoker'
);
select is_empty(
  $$select function from test.functions
    where not coalesce('search_path=""' = any (proconfig), false)$$,
  'search_path is empty'
);

select * from finish();
rollback;
