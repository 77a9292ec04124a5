begin;
select plan(2);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');

create table orders (id integer primary key);
create function tell_of_order() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform public.messenger_publish('order.made', to_jsonb(new));
  return null;
end
$$;
create trigger orders_tell after insert on orders for each row execute function tell_of_order();

savepoint before;
insert into orders values (1);
rollback to before;
select is((select count(*) from messenger_messages), 0::bigint, 'a transaction that is rolled back publishes nothing');
insert into orders values (2);
select is((select data from messenger_webhook_events), '{"id":2}', 'one that commits does');

select * from finish();
rollback;
