-- A provider that is back after an outage gets them in portions, oldest first.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('third', failed_at => '2026-01-01 11:00Z');
select test.dead_letter('first', failed_at => '2026-01-01 09:00Z');
select test.dead_letter('second', failed_at => '2026-01-01 10:00Z');
select messenger_redrive("all" => true, per_second => 2);
select results_eq(
  'select type, available_at from messenger_messages order by available_at',
  $$values ('first', '2026-01-01 12:00:00Z'::timestamptz), ('second', '2026-01-01 12:00:00.5Z'),
    ('third', '2026-01-01 12:00:01Z')$$,
  'two a second'
);

delete from messenger_messages where true;
select test.dead_letter('slow', failed_at => '2026-01-01 10:00Z'), test.dead_letter('slower');
select messenger_redrive("all" => true, per_second => 0.1);
select results_eq(
  'select type, available_at from messenger_messages order by available_at',
  $$values ('slow', '2026-01-01 12:00:00Z'::timestamptz), ('slower', '2026-01-01 12:00:10Z')$$,
  'or one in ten seconds'
);

select * from finish();
rollback;
