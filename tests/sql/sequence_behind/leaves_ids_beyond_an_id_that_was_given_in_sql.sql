-- One row with the largest id stopped every dispatch for ever, also once it was gone.
begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');
select setval('messenger_messages_id_seq', 10);

insert into messenger_messages (id, type) values (9223372036854775807, 'A');
select is(messenger_dispatch('B'), 11::bigint, 'a message has the largest id');
select lives_ok('select messenger_health()', 'health tells of it');
select test.dead_letter('C');
update messenger_failed_messages set id = 9223372036854775806;
select is(messenger.sequence_behind(), false, 'a dead letter has the one before');
select is((messenger_redrive("all" => true) ->> 'done')::integer, 1, 'it is redriven');
select is((messenger_cancel(ids => array[9223372036854775807]) ->> 'done')::integer, 1, 'it is cancelled');

-- As a restore of a wrong value leaves it.
select setval('messenger_messages_id_seq', 9223372036854775807);
select is(messenger.sequence_behind(), true, 'the sequence is at its end');
select is(messenger_dispatch('B') < 100, true, 'it goes back');
select is(
  jsonb_array_length(messenger_enqueue('[{"type": "D"}, {"type": "D", "group_key": "g"}]') -> 'ids'), 2,
  'and on from there'
);

-- The API takes ids of up to 18 digits.
insert into messenger_messages (id, type) values (999999999999999999, 'A'), (499999999999999999, 'A');
select is(messenger_dispatch('B'), 500000000000000000, 'the largest id that is passed over');
select is(messenger_dispatch('B'), 500000000000000001, 'leaves ids behind it');

select * from finish();
rollback;
