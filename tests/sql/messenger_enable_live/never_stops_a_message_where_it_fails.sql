-- A change whose broadcast fails still happens.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create schema realtime;
create table realtime.messages (extension text);
create function realtime.topic() returns text language sql stable as $$ select '' $$;
create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void language plpgsql
as $$ begin raise exception 'out of order'; end $$;
select messenger_enable_live();
set local client_min_messages = error;

select messenger_enqueue('[{"type":"A","stamps":{"live":true,"user":{"id":"ann"}}}]');
select test.claim(test.token(1));
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A')
  ))),
  '{"stale":[]}', 'it is settled'
);
select is_empty('select id from messenger_messages', 'and gone');

select * from finish();
rollback;
