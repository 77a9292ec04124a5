-- So that the table editor offers no edit that would be lost.
begin;
select plan(1);

select results_eq(
  $$select table_name::text collate "default", is_updatable::text collate "default" from information_schema.views
    where table_schema = 'public' and table_name::text like 'messenger\_%' order by 1$$,
  $$values ('messenger_failures', 'NO'), ('messenger_overview', 'NO'), ('messenger_queue_overview', 'NO'),
    ('messenger_slow', 'NO'), ('messenger_upcoming', 'NO')$$,
  'none of them can be edited'
);

select * from finish();
rollback;
