begin;
select plan(3);
select test.dead_letter('A', error => 'no route');

select is(messenger_show_failed(test.id_of('A')) -> 'payload', '{"to":"a@b.c"}', 'its payload');
select is(
  messenger_show_failed(test.id_of('A')) -> 'errors', '[{"message":"no route"}]', 'its history'
);
select is(messenger_show_failed(999), null, 'null where there is none');

select * from finish();
rollback;
