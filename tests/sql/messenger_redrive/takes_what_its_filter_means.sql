-- Each filter by itself, then together.
begin;
select plan(15);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A', 'mail', 'exhausted', 'No Route to host', '2026-01-01 10:00Z');
select test.dead_letter('B', 'mail', 'crashed', null, '2026-01-01 11:00Z');
select test.dead_letter('C', 'hooks', 'expired', 'timed out', '2026-01-01 12:00Z');
update messenger_failed_messages set group_key = 'g', stamps = '{"user":{"id":"ada"}}' where type in ('A', 'C');

-- Which dead letters a redrive with these arguments takes.
create function pg_temp.taken(arguments text) returns text[]
language plpgsql
as $$
declare
  types text[];
begin
  execute format('select public.messenger_redrive(%s)', arguments);
  types := array(select m.type from public.messenger_messages m order by m.id);
  raise sqlstate 'TEST1';
exception
  when sqlstate 'TEST1' then return types;
end
$$;

select is(pg_temp.taken($$"all" => true$$), array['A', 'B', 'C'], 'all');
select is(
  pg_temp.taken($$ids => array[test.id_of('A'), test.id_of('C'), 999999999]$$), array['A', 'C'], 'ids'
);
select is(pg_temp.taken($$type => 'B'$$), array['B'], 'type');
select is(pg_temp.taken($$queue => 'mail'$$), array['A', 'B'], 'queue');
select is(pg_temp.taken($$reason => 'expired'$$), array['C'], 'reason');
select is(pg_temp.taken($$error => 'no route'$$), array['A'], 'a part of the error, in any case');
select is(
  pg_temp.taken($$failed_from => '2026-01-01 11:00Z'$$), array['B', 'C'], 'failed then or later'
);
select is(pg_temp.taken($$failed_until => '2026-01-01 11:00Z'$$), array['A'], 'failed before');
select is(pg_temp.taken($$group_key => 'g'$$), array['A', 'C'], 'group');
select is(pg_temp.taken($$user_id => 'ada'$$), array['A', 'C'], 'user');
select is(pg_temp.taken($$user_id => 'ada', type => 'C'$$), array['C'], 'user and type');
select is(pg_temp.taken($$created_from => '2026-01-01 10:00Z'$$), array['B', 'C'], 'dispatched then or later');
select is(pg_temp.taken($$created_until => '2026-01-01 10:00Z'$$), array['A'], 'dispatched before');
select is(
  pg_temp.taken($$queue => 'mail', reason => 'crashed', failed_from => '2026-01-01 10:30Z'$$),
  array['B'], 'several filters mean what all of them mean'
);
select is(pg_temp.taken($$"all" => true, max_messages => 2$$), array['A', 'B'], 'up to a number, oldest first');

select * from finish();
rollback;
