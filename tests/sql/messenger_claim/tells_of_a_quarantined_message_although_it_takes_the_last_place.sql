-- Else a queue that is always full would never let its quarantined messages run.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, concurrency) values ('narrow', 1);
select messenger_dispatch('quarantined', queue => 'narrow');
update messenger_messages set quarantined = true where true;
select messenger_dispatch('A', queue => 'narrow');

create temp table claim as select test.claim(test.token(1)) as answer;
select is(test.types((select answer -> 'messages' from claim)), array['A'], 'the only place is taken');
select is((select answer -> 'quarantined_due' from claim), 'true', 'and the worker knows of the other');

select * from finish();
rollback;
