begin;
select plan(9);
select test.dead_letter('A', failed_at => '2026-01-01Z'),
  test.dead_letter('B', failed_at => '2026-01-02Z', queue => 'q'),
  test.dead_letter('C', failed_at => '2026-01-03Z', reason => 'crashed'),
  test.dead_letter('D', failed_at => '2026-01-03Z', error => 'Time is UP');

create function pg_temp.listed(variadic args text[]) returns text[] language plpgsql as $$
declare answer jsonb;
begin
  execute format('select messenger_list_failed(%s)', array_to_string(args, ', ')) into answer;
  return test.types(answer -> 'messages');
end $$;
select is(pg_temp.listed(''), array['D', 'C', 'B', 'A'], 'the latest first, within a moment by id');
select is(pg_temp.listed($$type => 'B'$$), array['B'], 'type');
select is(pg_temp.listed($$queue => 'q'$$), array['B'], 'queue');
select is(pg_temp.listed($$reason => 'crashed'$$), array['C'], 'reason');
select is(pg_temp.listed($$error => 'time is'$$), array['D'], 'part of the error, in any case');
select is(
  pg_temp.listed($$failed_from => '2026-01-02Z'$$, $$failed_until => '2026-01-03Z'$$), array['B'],
  'from a moment until before another'
);
select is(
  pg_temp.listed($$before_at => '2026-01-03Z'$$, 'before_id => ' || test.id_of('D')),
  array['C', 'B', 'A'], 'the next page continues within a moment'
);
select is(
  messenger_list_failed(max_messages => 2) -> 'next',
  jsonb_build_array('2026-01-03T00:00:00+00:00', test.id_of('C')::text), 'next is the last key'
);
select ok(
  not (messenger_list_failed() #> '{messages,0}' ?| array['payload', 'stamps', 'errors']),
  'without payloads'
);

select * from finish();
rollback;
