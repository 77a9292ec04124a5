-- A row that SQL wrote may have an infinite time, to which no hour can be added.
begin;
select plan(3);
set local statement_timeout = '20s';
select test.set_clock('2026-01-01 12:10Z');
select messenger_record_series(
  '[{"at":"2026-01-01T12:10Z","queue":"default","type":"A","handled":1,"latency":[1],"runs":[1]}]'
);
insert into messenger.series_points (minutes, at, series_id) select 1, '-infinity', s.id from messenger.series s limit 1;
insert into messenger.backlog_points (at, queue, due) values ('-infinity', '', 1);
select test.set_clock('2026-01-02 13:30Z');
select lives_ok('select messenger.prune_series(1000, false)', 'it ends');
select is_empty($$select from messenger.series_points where at = '-infinity'$$, 'and the point is gone');
select is_empty($$select from messenger.backlog_points where at = '-infinity'$$, 'of the backlog too');

select * from finish();
rollback;
