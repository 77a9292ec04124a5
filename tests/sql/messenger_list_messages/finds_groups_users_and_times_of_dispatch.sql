begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, queue, group_key, created_at, available_at, stamps) values
  ('A', 'mail', 'g', '2026-01-01 09:00Z', '2026-01-01 12:00Z', '{"user":{"id":"ada"}}'),
  ('B', 'mail', 'g', '2026-01-01 10:00Z', '2026-01-02 12:00Z', '{"user":{"id":"bob"}}'),
  ('C', 'default', 'g', '2026-01-01 11:00Z', '2026-01-02 12:00Z', '{"user":{"id":"ada"}}');
select test.claim(test.token(1), queues => array['mail']);

create function pg_temp.listed(args text) returns text[] language plpgsql as $$
declare answer jsonb;
begin
  execute format('select messenger_list_messages(%s)', args) into answer;
  return test.types(answer -> 'messages');
end $$;
select is(pg_temp.listed($$group_key => 'g'$$), array['C', 'B', 'A'], 'of a group, in any queue');
select is(
  pg_temp.listed($$queue => 'mail', group_key => 'g'$$), array['B', 'A'],
  'of a group of a queue: those that wait, and the one that runs'
);
select is(
  pg_temp.listed($$queue => 'mail', group_key => 'g', status => 'processing'$$), array['A'], 'and by status'
);
select is(pg_temp.listed($$user_id => 'ada'$$), array['C', 'A'], 'of a user');
select is(pg_temp.listed($$user_id => 'bob', status => 'processing'$$), '{}', 'of a user, by status');
select is(
  pg_temp.listed($$created_from => '2026-01-01 10:00Z', created_until => '2026-01-01 11:00Z'$$), array['B'],
  'dispatched from a moment until before another'
);
select test.dispatch_many(5000, 'mail');
select cmp_ok(
  test.rows_read_by($$select messenger_list_messages(queue => 'mail', group_key => 'g')$$), '<', 50::bigint,
  'a page of a group of a queue reads that group alone'
);
select cmp_ok(
  test.rows_read_by($$select messenger_list_messages(user_id => 'ada')$$), '<', 50::bigint,
  'a page of a user reads those of the user alone'
);

select * from finish();
rollback;
