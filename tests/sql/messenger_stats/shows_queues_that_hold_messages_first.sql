-- Beyond 200 queues: a queue that has work is never left out for one that has none.
begin;
select plan(5);
insert into messenger_queues (name) select 'a.' || lpad(n::text, 4, '0') from generate_series(1, 300) as n;
insert into messenger_messages (type, queue) values ('A', 'zz');
insert into messenger_messages (type, queue, available_at) values ('A', 'zy', now() + interval '1 day');

create temp table stats as select messenger_stats() as s;
select is((select jsonb_array_length(s -> 'queues') from stats), 200, 'it shows 200 queues');
select is(
  (select count(*) from stats, jsonb_array_elements(s -> 'queues') as q where q ->> 'name' in ('zz', 'zy')),
  2::bigint, 'those that hold messages among them'
);
select is((select s -> 'left_out' from stats), '103', 'and the number of those left out');
select is((select s -> 'left_out_in_use' from stats), '0', 'none of them holds any');

insert into messenger_messages (type, queue)
select 'A', 'b.' || n from generate_series(1, 250) as n;
select is(messenger_stats() -> 'left_out_in_use', '52', 'or how many of them do');

select * from finish();
rollback;
