-- Delayed messages and those that wait for their retry; the rest stays as it is.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, queue, available_at, retry_count, attempts) values
  ('delayed', 'mail', '2026-01-02 12:00Z', 0, 0), ('retry', 'default', '2026-01-01 13:00Z', 2, 3),
  ('runs', 'default', '2026-01-01 11:00Z', 0, 0);
select test.claim(test.token(1));
insert into messenger_messages (type, available_at) values ('due', '2026-01-01 11:00Z');
update messenger_messages set available_at = '2026-01-02 12:00Z' where status = 'processing';

select is(
  messenger_run("all" => true, dry_run => true) - '{left,missing,next}'::text[],
  '{"matched":2,"done":0,"running":0}', 'a dry run counts'
);
select is(messenger_run(queue => 'mail') -> 'done', '1', 'by queue');
select is(messenger_run(type => 'retry') -> 'done', '1', 'by type');
select results_eq(
  $$select type, available_at, retry_count, attempts from messenger_messages
    where type in ('delayed', 'retry') order by type$$,
  $$values ('delayed', '2026-01-01 12:00Z'::timestamptz, 0, 0), ('retry', '2026-01-01 12:00Z', 2, 3)$$,
  'they are due now, and else as they were'
);
select is(messenger_run("all" => true) -> 'matched', '0', 'nothing else waits for a time');
select is(
  (select count(*) from messenger_messages where available_at = '2026-01-01 11:00Z'
    or available_at = '2026-01-02 12:00Z'),
  2::bigint, 'what is due, or runs, is left alone'
);
select is((select count(*) from messenger_ticks), 1::bigint, 'a tick was asked for once');

select * from finish();
rollback;
