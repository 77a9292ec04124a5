-- SQL may have written them. One row's id or counts stop neither its own claims and outcomes nor those of others.
begin;
select plan(4);

insert into messenger_messages (id, type, queue, snoozes, interruptions, attempts) values
  (-9223372036854775808, 'First', 'a', 2147483647, 0, -2147483648),
  (9223372036854775807, 'Last', 'a', 0, 2147483647, 0);
select messenger_dispatch('B', queue => 'b');
select results_eq(
  $$select m ->> 1 from json_array_elements(
    messenger_claim('00000000-0000-0000-0000-000000000001') -> 'messages'
  ) as m order by 1$$,
  $$values ('B'), ('First'), ('Last')$$, 'a claim of all queues takes them and the others'
);
select is(
  messenger_settle($$[{
    "token": "00000000-0000-0000-0000-000000000001",
    "snoozed": [{"id": "-9223372036854775808", "delay_ms": 0}],
    "retries": [{"id": "9223372036854775807", "delay_ms": 0, "retry_count": 1, "interrupted": true}]
  }]$$) -> 'stale', '[]', 'their outcomes are written'
);
select results_eq(
  $$select type, snoozes, interruptions from messenger_messages where status = 'pending' order by id$$,
  $$values ('First', 2147483647, 0), ('Last', 0, 2147483647)$$, 'with counts that stay the largest'
);
select is(
  json_array_length(
    messenger_claim('00000000-0000-0000-0000-000000000002', queues => '{a}') -> 'messages'
  ), 2, 'a claim of one queue takes them too'
);

select * from finish();
rollback;
