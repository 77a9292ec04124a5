-- One that rests, ended or died does not see what is written now.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.tick('resting'), test.tick('ended'), test.tick('killed'), test.tick('lost');
select isnt(messenger.wake(), null, 'none is awake: one is asked for');
select is(messenger.wake(), null, 'that one will see to it');
delete from messenger_ticks;
select test.tick('awake');
select is(messenger.wake(), null, 'and so will one that runs');
select is((select count(*) from net.http_request_queue), 1::bigint, 'one request in all');

select * from finish();
rollback;
