-- A worker knows the batch of its messages, so that their stamps need not be read once more.
begin;
select plan(5);
select messenger_dispatch_batch('[{"type":"A"},{"type":"B"},{"type":"C"}]', name => 'three');
select test.claim(test.token(1), 2);
select test.claimed(2);
create function batch() returns text language sql as 'select id::text from messenger_batches';
create function counted() returns text language sql as $$
  select string_agg(handled || '/' || dead, ' ' order by id) from messenger.batch_deltas
$$;

select is(messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('A', 'C'), 'batch', batch()
))) -> 'stale', test.ids('C'), 'a message of another token is stale');
select is(counted(), '1/0', 'and is not counted');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('C'), 'batch', batch()
)));
select is(counted(), '1/0', 'nothing is counted where nothing is settled');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('B'), 'batch', 'own'
)));
select is(counted(), '1/0', 'a name that is no id is passed over');
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(2), 'handled', test.ids('C'))));
select is(counted(), '1/0 1/0', 'a worker that names none has the stamps read');

select * from finish();
rollback;
