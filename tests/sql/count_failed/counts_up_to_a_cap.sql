begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select test.dead_letter('A', failed_at => '2026-01-01 10:00Z') from generate_series(1, 30);
select test.dead_letter('A', failed_at => '2026-01-01 11:30Z');

select is(messenger.count_failed(), '{"count":31,"capped":false}', 'all');
select is(
  messenger.count_failed('2026-01-01 11:00Z'), '{"count":1,"capped":false}', 'since a moment'
);
select is(messenger.count_failed(p_max_count => 5), '{"count":5,"capped":true}', 'up to a cap');

select * from finish();
rollback;
