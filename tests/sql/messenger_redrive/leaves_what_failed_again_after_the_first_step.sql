begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
select test.let_steps_take_long();
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', '{}', 'default', 'exhausted', messenger_now(), messenger_now() - interval '1 hour'
from generate_series(1, 10200) as n;

create temp table first as select messenger_redrive(type => 'Bulk') as answer;
select is((select answer ->> 'done' from first), '10000', 'the first step');
select test.set_clock('2026-01-01 12:01Z');
with again as (delete from messenger_messages where id <= 300 returning id)
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select id, 'Bulk', '{}', 'default', 'exhausted', messenger_now(), messenger_now() from again;
select is(
  (select messenger_redrive(type => 'Bulk', after => answer -> 'next') - array['missing', 'running'] from first),
  '{"matched":200,"done":200,"left":{"count":0,"capped":false},"next":null}',
  'the next step leaves what has failed since'
);
select is((select count(*) from messenger_failed_messages), 300::bigint, 'which stays a dead letter');
select is(
  messenger_redrive(
    ids => '{1,2}', after => '{"at":"-infinity","id":"0","matched":0,"since":"2026-01-01T12:00Z"}'
  ) ->> 'done', '0', 'a step by ids that is taken twice leaves it too'
);
select is(messenger_redrive(ids => '{1,2}') ->> 'done', '2', 'another redrive takes it');
select is(messenger_redrive("all" => true) ->> 'done', '298', 'as one by a filter does');

select test.dead_letter('Ahead', failed_at => clock_timestamp() + interval '1 day');
select is(messenger_redrive(ids => array[test.id_of('Ahead')]) ->> 'done', '1', 'a time that lies ahead hinders no redrive by id');
select test.dead_letter('Ever', failed_at => 'infinity');
select is(messenger_redrive(type => 'Ever') ->> 'done', '1', 'and none by a filter');

select * from finish();
rollback;
