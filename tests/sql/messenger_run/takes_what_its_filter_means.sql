-- Groups, users and times of dispatch; messages of a group are found whether they wait or run.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, queue, group_key, created_at, available_at, stamps) values
  ('A', 'mail', 'g', '2026-01-01 09:00Z', '2026-01-02Z', '{"user":{"id":"ada"}}'),
  ('B', 'mail', 'h', '2026-01-01 10:00Z', '2026-01-02Z', null),
  ('C', 'default', 'g', '2026-01-01 11:00Z', '2026-01-02Z', '{"user":{"id":"ada"}}');

create function pg_temp.matched(args text) returns integer language plpgsql as $$
declare answer jsonb;
begin
  execute format('select messenger_run(%s, dry_run => true)', args) into answer;
  return answer -> 'matched';
end $$;
select is(pg_temp.matched($$group_key => 'g'$$), 2, 'group');
select is(pg_temp.matched($$queue => 'mail', group_key => 'g'$$), 1, 'group of a queue');
select is(pg_temp.matched($$user_id => 'ada'$$), 2, 'user');
select is(pg_temp.matched($$created_from => '2026-01-01 10:00Z', created_until => '2026-01-01 11:00Z'$$), 1, 'time');
select throws_ok(
  $$select messenger_run(created_from => '2026-01-02Z', created_until => '2026-01-01Z')$$, 'PT400',
  'created_until: has to come after created_from'
);
select is(
  messenger_cancel(queue => 'mail', group_key => 'g') -> 'done', '1', 'a cancel takes the same filters'
);

select * from finish();
rollback;
