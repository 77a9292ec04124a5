-- The attempt that crashed was counted by its claim; a sweep whose answer was lost is counted by the next.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, payload, available_at)
values ('A', '{"text":"A"}', messenger_now());
select test.claim(test.token(1));
select test.set_clock('2026-01-01 12:01Z');
create temp table claim as select test.claim(test.token(2)) as answer;
select is((select answer -> 'crashed' -> 0 ->> 'attempts' from claim), '1', 'the first sweep');
select is((select answer -> 'crashed' -> 0 -> 'payload' from claim), 'null', 'carries no payload');
select test.claim(test.token(2), repeated => true);
select is((select attempts from messenger_messages), 1, 'also when the call is repeated');
select test.set_clock('2026-01-01 12:02Z');
select test.claim(test.token(3));
select is((select attempts from messenger_messages), 2, 'the second');
select test.set_clock('2026-01-01 12:03Z');
select test.claim(test.token(4));
select is((select attempts from messenger_messages), 3, 'the third');
update messenger_messages set attempts = 2147483647 where true;
select test.set_clock('2026-01-01 12:04Z');
select is(
  (select test.claim(test.token(5)) -> 'crashed' -> 0 ->> 'attempts'), '2147483647', 'as far as it goes'
);

select * from finish();
rollback;
