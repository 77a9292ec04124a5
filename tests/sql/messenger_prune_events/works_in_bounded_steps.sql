begin;
select plan(4);
select test.set_clock('2026-02-01 12:00Z');

insert into messenger_events (event, created_at)
select 'old', '2025-01-01' from generate_series(1, 5001);
insert into messenger.waits select 'e', n from generate_series(9000001, 9005001) as n;

select is(
  messenger_prune_events(), '{"matched":10000,"done":10000,"next":{"id":"9005000"}}', 'a step takes 5,000 of each kind'
);
select is(
  messenger_prune_events(after => '{"id":"9005000"}'), '{"matched":2,"done":2,"next":null}', 'the next step continues'
);
select is_empty('select from messenger_events', 'until no old event is left');
select is_empty('select from messenger.waits', 'and no orphan');

select * from finish();
rollback;
