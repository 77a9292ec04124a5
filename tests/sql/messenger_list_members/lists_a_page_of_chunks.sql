begin;
select plan(6);
insert into messenger_batches (name) values ('b');
insert into messenger.batch_chunks
select b.id, c, array(select 1000000 + c * 10 + n from generate_series(1, 3) n), 0
from messenger_batches b, generate_series(1, 12) c;
insert into messenger_messages (id, type) values (1000011, 'A'), (1000123, 'Z');
select test.dead_letter('D');
update messenger_failed_messages set id = 1000012 where type = 'D';

create function pg_temp.listed(args text default '') returns jsonb language plpgsql as $$
declare answer jsonb;
begin
  execute format('select messenger_list_members((select id from messenger_batches)%s)', args) into answer;
  return answer;
end $$;
select is(
  pg_temp.listed(', max_members => 3'),
  '{"members":[
    {"id":"1000011","type":"A","status":"pending"}, {"id":"1000012","type":"D","status":"failed"},
    {"id":"1000013","type":null,"status":null}
  ],"next":[1,3]}', 'a page, with those that are gone'
);
select is(
  jsonb_path_query_array(pg_temp.listed(', after_chunk => 1, after_nth => 3, max_members => 2'), '$.members[*].id'),
  '["1000021", "1000022"]', 'the next page begins with the next chunk'
);
select is(
  pg_temp.listed(', status => ''pending'''),
  '{"members":[{"id":"1000011","type":"A","status":"pending"}],"next":[11,0]}',
  'a page reads ten chunks, and is short'
);
select is(
  pg_temp.listed(', status => ''pending'', after_chunk => 11'),
  '{"members":[{"id":"1000123","type":"Z","status":"pending"}],"next":null}', 'the last page'
);
select is(pg_temp.listed(', status => ''handled'', after_chunk => 5'), '{"members":[],"next":null}', 'none');
select is(messenger_list_members(0), '{"members":[],"next":null}', 'an unknown batch has none');

select * from finish();
rollback;
