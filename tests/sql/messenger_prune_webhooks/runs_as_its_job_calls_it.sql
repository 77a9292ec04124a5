begin;
select plan(2);

insert into messenger_webhook_events (event, data, created_at) values ('old', '{}', now() - interval '31 days');
select is(
  messenger.call_operation('messenger_prune_webhooks', '{"older_than": "30 days"}') ->> 'done', '1',
  'the job''s operation is one that messenger_in_steps takes'
);
select is_empty('select from messenger_webhook_events', 'and deletes');

select * from finish();
rollback;
