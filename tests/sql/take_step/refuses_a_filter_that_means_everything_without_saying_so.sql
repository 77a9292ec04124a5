-- An argument that is null is no filter: `ids => (select array_agg(id) ... where false)` is null.
begin;
select plan(33);
select test.set_clock('2026-01-01 12:00Z');
select test.dead_letter('A'), test.dead_letter('B');
select test.dispatch('C', 'D');

create function pg_temp.outcome(call text) returns text
language plpgsql
as $$
declare
  answer jsonb;
begin
  execute 'select public.' || call into answer;
  raise sqlstate 'TEST1' using message = answer ->> 'matched';
exception
  when sqlstate 'TEST1' then return sqlerrm;
  when others then return sqlstate || ' ' || split_part(sqlerrm, ':', 1);
end
$$;

select is(
  pg_temp.outcome(format('%s(%s)', f.name, a.arguments)), a.outcome,
  format('%s(%s)', f.name, a.arguments)
)
from (values
  ('messenger_redrive'), ('messenger_remove_failed'), ('messenger_cancel')
) as f (name)
cross join (values
  ('', 'PT400 filter'),
  ('ids => null', 'PT400 filter'),
  ('ids => (select array_agg(id) from public.messenger_failed_messages where false)', 'PT400 filter'),
  ('max_messages => 1', 'PT400 filter'),
  ('type => '''', "all" => false', 'PT400 type'),
  ('"all" => null', 'PT400 filter'),
  ('ids => ''{}''', '0'),
  ('"all" => true', '2'),
  ('"all" => true, type => ''A''', 'PT400 all'),
  ('"all" => true, dry_run => null', 'PT400 dry_run'),
  ('"all" => true, after => ''{"id":5}''', 'PT400 after')
) as a (arguments, outcome);

select * from finish();
rollback;
