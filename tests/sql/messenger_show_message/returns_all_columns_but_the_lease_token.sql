begin;
select plan(4);
select test.dispatch('A');
update messenger_messages set payload = '{"a":1}', errors = '[{"message":"1"},{"message":"2"}]'
where type = 'A';

select is(messenger_show_message(test.id_of('A')) -> 'payload', '{"a":1}', 'with its payload');
select is(messenger_show_message(test.id_of('A')) ->> 'error', '2', 'and its last error');
select ok(not messenger_show_message(test.id_of('A')) ? 'lease_token', 'without the lease''s token');
select is(messenger_show_message(999), null, 'null where there is none');

select * from finish();
rollback;
