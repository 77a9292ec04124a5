-- An operator's call ends after its first step.
begin;
select plan(3);
select messenger_dispatch_batch((select jsonb_agg('{"type":"A"}'::jsonb) from generate_series(1, 1500)), 'n');
update messenger_batches set cancelled_at = now(), cancel_chunk = 1 where true;
select test.claim(test.token(1), max_messages => 0);
select test.claim(test.token(2), max_messages => 0);
select test.claim(test.token(3), max_messages => 0);
select is((select count(*) from messenger_messages), 0::bigint, 'the sweep cancels the members');
select is((select cancel_chunk from messenger_batches), null, 'to the end');
select is((select failed from messenger_batches), 1500::bigint, 'and counts them');
select * from finish();
rollback;
