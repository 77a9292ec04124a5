-- What Supabase's advisors ask for, and what makes the grants mean something.
begin;
select plan(2);

-- The one exception reads Vault for whoever writes a message; it takes no arguments.
select results_eq(
  $$select function::text from test.functions where prosecdef$$, array['messenger_ask_tick()'],
  'security invoker'
);
select is_empty(
  $$select function from test.functions
    where not coalesce('search_path=""' = any (proconfig), false)$$,
  'search_path is empty'
);

select * from finish();
rollback;
