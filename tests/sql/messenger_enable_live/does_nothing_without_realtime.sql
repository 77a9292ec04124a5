-- A database that has no Realtime has no trigger for it either.
begin;
select plan(2);

select is(messenger_enable_live(), false, 'it says so');
select is_empty(
  $$select tgname from pg_trigger where tgname like 'messenger\_%\_live%'$$, 'no trigger'
);

select * from finish();
rollback;
