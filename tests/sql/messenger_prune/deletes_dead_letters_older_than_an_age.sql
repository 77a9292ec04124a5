-- 30 days where no age is given.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('young', failed_at => '2025-12-02 12:00Z');
select test.dead_letter('old', failed_at => '2025-12-02 11:59Z');
select is(
  messenger_prune() -> 'failed', '1', 'one is older than 30 days'
);
select is(
  array(select type from messenger_failed_messages), array['young'], 'one of exactly 30 days stays'
);
select is(messenger_prune(interval '29 days') -> 'failed', '1', 'a shorter age takes it too');
select is(messenger_prune(interval '0') -> 'failed', '0', 'none is left');

select * from finish();
rollback;
