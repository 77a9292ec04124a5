-- More lanes than a claim takes messages: each claim continues behind the last lane of the one before, whichever
-- worker makes it. Lanes whose messages fall due later cost no more than a bounded number of reads.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, available_at)
select 'A', 'reports/t' || n % 2500, messenger_now() from generate_series(1, 5000) as n;
create temporary table served (claim integer, queue text);
insert into served
select c.claim, m ->> 'queue' from generate_series(1, 25) as c (claim),
  lateral jsonb_array_elements(test.claim(test.token(c.claim), 100, sweep => false) -> 'messages') as m;
select is((select count(*) from served), 2500::bigint, 'each claim is full');
select is((select count(distinct queue) from served), 2500::bigint, 'every lane has a turn before one has a second');
select is(test.claim(test.token(26), 100) -> 'more', 'true', 'a claim says that other lanes wait');
select is(
  (select count(*) from messenger.lane_turns), 1::bigint, 'one row notes the turn, however many lanes there are'
);

update messenger_messages set available_at = messenger_now() + interval '1 hour' where status = 'pending';
select messenger_dispatch('Due', queue => 'reports', lane => 'zz');
create temporary table answer as select null::jsonb as claim;
select cmp_ok(
  test.rows_read_by($$update answer set claim = test.claim(test.token(27), 100)$$), '<', 40000::bigint,
  'a claim reads a bounded number of lanes'
);
select is(test.types((select claim from answer) -> 'messages'), array['Due'], 'and finds the one message that is due');
select is(
  (test.claim(test.token(28)) ->> 'next_due_at')::timestamptz, '2026-01-01 13:00Z'::timestamptz,
  'and when the next is'
);

select * from finish();
rollback;
