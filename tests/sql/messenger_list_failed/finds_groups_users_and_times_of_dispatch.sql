begin;
select plan(8);
select test.dead_letter('A', failed_at => '2026-01-01 12:00Z', stamps => '{"user":{"id":"ada"}}'),
  test.dead_letter('B', failed_at => '2026-01-02 12:00Z', stamps => '{"user":{"id":"bob"}}'),
  test.dead_letter('C', failed_at => '2026-01-03 12:00Z', stamps => '{"user":{"id":"ada"}}'),
  test.dead_letter('D', failed_at => '2026-01-01 06:00Z', stamps => '{"user":{"id":"ada"}}');
update messenger_failed_messages set group_key = 'g' where type in ('A', 'B');

create function pg_temp.listed(args text) returns text[] language plpgsql as $$
declare answer jsonb;
begin
  execute format('select messenger_list_failed(%s)', args) into answer;
  return test.types(answer -> 'messages');
end $$;
select is(pg_temp.listed($$group_key => 'g'$$), array['B', 'A'], 'of a group');
select is(pg_temp.listed($$user_id => 'ada'$$), array['D', 'C', 'A'], 'of a user, the latest dispatched first');
select is(pg_temp.listed($$user_id => 'ada', type => 'C'$$), array['C'], 'of a user and a type');
select is(
  pg_temp.listed($$user_id => 'ada', failed_from => '2026-01-01 12:00Z'$$), array['C', 'A'], 'of a user, by time'
);
select is(
  pg_temp.listed($$user_id => 'ada', before_at => '2026-01-03 12:00Z', before_id => test.id_of('C')$$), array['A'],
  'the next page of a user continues behind the id'
);
select is(pg_temp.listed($$created_from => '2026-01-02 11:00Z'$$), array['C', 'B'], 'dispatched then or later');
select is(pg_temp.listed($$created_until => '2026-01-02 11:00Z'$$), array['A', 'D'], 'dispatched before');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select nextval('messenger_messages_id_seq'), 'Bulk', '{}', 'default', 'exhausted', now() from generate_series(1, 5000);
select cmp_ok(
  test.rows_read_by($$select messenger_list_failed(user_id => 'ada')$$, 'messenger_failed_messages'), '<', 50::bigint,
  'a page of a user reads those of the user alone'
);

select * from finish();
rollback;
