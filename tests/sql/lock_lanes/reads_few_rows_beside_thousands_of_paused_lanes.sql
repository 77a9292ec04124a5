-- 6,000 lanes are paused and hold messages. Only the first claim reads each of them.
begin;
select plan(19);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.settle(worker integer, outcome text) returns jsonb language sql as $$
  select public.messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(worker), 'grouped', true, outcome, (
    select jsonb_agg(id::text) from public.messenger_messages where lease_token = test.token(worker)
  ))))
$$;

insert into messenger_queues (name, paused)
select 'reports/a' || lpad(n::text, 5, '0'), true from generate_series(1, 6000) n;
insert into messenger_messages (type, queue, available_at)
select 'Held', 'reports/a' || lpad(n::text, 5, '0'), messenger_now() - interval '1 day' from generate_series(1, 6000) n;
insert into messenger_queues (name, weight) select 'reports/b' || lpad(n::text, 5, '0'), 2 from generate_series(1, 6000) n;

select is(test.claim(test.token(1)) -> 'messages', '[]', 'where none is open, a claim gives none');
select cmp_ok(test.rows_read_by('select test.claim(test.token(2))'), '<', 500::bigint, 'the next claim reads few messages');
select cmp_ok(
  test.rows_read_by('select test.claim(test.token(3))', 'public.messenger_queues'), '<', 500::bigint, 'and few rows of lanes'
);
select cmp_ok(test.rows_read_by('select messenger.next_due()'), '<', 500::bigint, 'as does a poll for what is due next');
select is(messenger.next_due(), null, 'which finds nothing');

insert into messenger_messages (type, queue, available_at) values ('New', 'reports/c', messenger_now());
select is(messenger.next_due(), messenger_now(), 'a message of an open lane is due');
select is(test.types(test.claim(test.token(4)) -> 'messages'), array['New'], 'and the first claim gives it');

insert into messenger_messages (type, queue, available_at) values ('Old', 'reports/c', messenger_now() - interval '2 days');
select is(messenger.next_due(), messenger_now() - interval '2 days', 'so is one that is older than all others');
select is(test.types(test.claim(test.token(5)) -> 'messages'), array['Old'], 'and the first claim gives it');

update messenger_queues set paused = false where name = 'reports/a03000';
select is(messenger.next_due(), messenger_now() - interval '1 day', 'a message of a lane that is resumed is due');
select is(
  test.claim(test.token(6)) #>> '{messages,0,queue}', 'reports/a03000', 'and the first claim gives it'
);
select is(test.claim(test.token(7)) -> 'messages', '[]', 'once');

select pg_temp.settle(6, 'released');
select is(test.claim(test.token(8)) #>> '{messages,0,queue}', 'reports/a03000', 'it comes again when it is given back');

insert into messenger_messages (type, queue, available_at, group_key) values
  ('First', 'reports/d', messenger_now() - interval '1 hour', 'g'), ('Second', 'reports/d', messenger_now() - interval '1 hour', 'g');
select is(test.types(test.claim(test.token(9)) -> 'messages'), array['First'], 'of a group the first comes first');
select pg_temp.settle(9, 'handled');
select is(test.types(test.claim(test.token(10)) -> 'messages'), array['Second'], 'then the next one, however old it is');

insert into messenger_messages (type, queue, available_at) values ('Later', 'reports/e', messenger_now() + interval '5 seconds');
select is(messenger.next_due(), messenger_now() + interval '5 seconds', 'a message of the future is known');
select test.set_clock('2026-01-01 12:00:05Z');
select is(test.types(test.claim(test.token(11)) -> 'messages'), array['Later'], 'and given when it is due');

select cmp_ok(
  test.rows_read_by('select test.claim(test.token(12), 20)'), '<', 500::bigint, 'a claim reads as few messages afterwards'
);
select test.set_clock('2026-01-01 12:01:00Z');
select cmp_ok(
  test.rows_read_by('select test.claim(test.token(13), 20)'), '>', 6000::bigint, 'after a time, one claim reads them all again'
);

select * from finish();
rollback;
