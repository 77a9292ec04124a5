-- An edit blocked them, or a restore deleted the message before them without triggers. Others stay blocked.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
insert into messenger_messages (type, group_key, blocked, available_at) values
  ('Alone', null, true, '2026-01-01 11:00Z'),
  ('First', 'stray', true, '2026-01-01 11:00Z'), ('Second', 'stray', true, '2026-01-01 11:00Z'),
  ('Waiting', 'in order', false, '2026-01-02 11:00Z'), ('Behind', 'in order', true, '2026-01-01 11:00Z'),
  ('Running', 'at work', false, '2026-01-01 10:00Z'), ('Next', 'at work', true, '2026-01-01 11:00Z');
select test.claim(test.token(1), 1);
select messenger_tick();

select is(
  (select array_agg(group_key) from messenger.groups_to_reopen), '{stray}', 'a group without a first message is noted'
);
select bag_eq(
  format('select unnest(%L::text[])', test.types(test.claim(test.token(2)) -> 'messages')),
  $$values ('Alone'), ('First')$$, 'the next claim gives its first one, and the message without a group'
);
select bag_eq(
  'select type from messenger_messages where blocked', $$values ('Second'), ('Behind'), ('Next')$$, 'the rest waits'
);

select * from finish();
rollback;
