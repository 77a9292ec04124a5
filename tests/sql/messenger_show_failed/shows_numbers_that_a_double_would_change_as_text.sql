-- SQL may store them. An operator who reads them over HTTPS would see another number, and could redrive that.
begin;
select plan(4);

select test.dead_letter('A'), messenger_dispatch('B');
create temp table large as select
  '{"id": 1970670598291982290, "n": 5, "list": [0.1, {"f": 0.12345678901234567890}], "t": "1970670598291982290"}'::jsonb
  as stored;
update messenger_failed_messages set payload = large.stored, stamps = large.stored from large;
update messenger_messages set payload = large.stored, stamps = large.stored from large;
create function pg_temp.shown(full_row jsonb, field text) returns boolean language sql as $$
  select full_row -> field = '{"id": "1970670598291982290", "n": 5,
    "list": [0.1, {"f": "0.12345678901234567890"}], "t": "1970670598291982290"}'
$$;
select ok(pg_temp.shown(messenger_show_failed(test.id_of('A')), 'payload'), 'in the payload of a dead letter');
select ok(pg_temp.shown(messenger_show_failed(test.id_of('A')), 'stamps'), 'and in its stamps');
select ok(pg_temp.shown(messenger_show_message(test.id_of('B')), 'payload'), 'in the payload of a message');
select ok(pg_temp.shown(messenger_show_message(test.id_of('B')), 'stamps'), 'and in its stamps');

select * from finish();
rollback;
