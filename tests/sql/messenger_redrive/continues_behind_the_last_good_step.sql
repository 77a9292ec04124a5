-- A redriven message keeps its good steps, so that its handler continues behind them.
begin;
select plan(2);
insert into messenger_failed_messages (id, type, payload, queue, reason, stamps, created_at)
values (1, 'A', '{}', 'default', 'exhausted', '{"durable":{"version":1}}', now());
insert into messenger_steps (message_id, handler, name, status) values (1, 'h', 'a', 'done'), (1, 'h', 'b', 'failed');
select messenger_redrive(array[1]);
select is((select array_agg(name) from messenger_steps), array['a'], 'the failure is forgotten');
select is((select stamps -> 'durable' from messenger_messages), '{"version":1}', 'the mark stays');

select * from finish();
rollback;
