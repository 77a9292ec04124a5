-- The filters of a redrive; what they do not mean stays.
begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A', 'mail', 'exhausted', 'No Route to host', '2026-01-01 10:00Z');
select test.dead_letter('B', 'mail', 'crashed', null, '2026-01-01 11:00Z');
select test.dead_letter('C', 'hooks', 'expired', 'timed out', '2026-01-01 12:00Z');

-- Which dead letters are left when those of these arguments are removed.
create function pg_temp.left_by(arguments text) returns text[]
language plpgsql
as $$
declare
  types text[];
begin
  execute format('select public.messenger_remove_failed(%s)', arguments);
  types := array(select f.type from public.messenger_failed_messages f order by f.id);
  raise sqlstate 'TEST1';
exception
  when sqlstate 'TEST1' then return types;
end
$$;

select is(
  pg_temp.left_by($$ids => array[test.id_of('A'), test.id_of('C'), 999999999]$$), array['B'], 'ids'
);
select is(pg_temp.left_by($$type => 'B'$$), array['A', 'C'], 'type');
select is(pg_temp.left_by($$queue => 'mail'$$), array['C'], 'queue');
select is(pg_temp.left_by($$reason => 'expired'$$), array['A', 'B'], 'reason');
select is(pg_temp.left_by($$error => 'no route'$$), array['B', 'C'], 'a part of the error, in any case');
select is(
  pg_temp.left_by($$failed_from => '2026-01-01 11:00Z'$$), array['A'], 'failed then or later'
);
select is(pg_temp.left_by($$failed_until => '2026-01-01 11:00Z'$$), array['B', 'C'], 'failed before');
select is(
  pg_temp.left_by($$queue => 'mail', max_messages => 1$$), array['B', 'C'],
  'up to a number, oldest first'
);
select is(
  messenger_remove_failed(queue => 'mail') - '{left,missing,next}'::text[],
  '{"matched":2,"done":2,"running":0}', 'the answer counts them'
);
select is_empty('select id from messenger_messages', 'none is run again');

select * from finish();
rollback;
