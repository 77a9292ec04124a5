-- Its time to live is over before it is due.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_dispatch('A', delay => interval '1 hour', ttl => interval '1 hour')$$,
  'PT400', null, 'a ttl that is as long as the delay'
);
select throws_like(
  $$select messenger_dispatch('A', available_at => '2026-01-02Z', ttl => interval '1 hour')$$,
  'ttl: %', 'one that ends before available_at'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A","ttl_ms":1000,"delay_ms":2000,"group_key":"g"}]')$$,
  'PT400', null, 'also where the message has a key'
);
select is_empty('select from messenger_messages', 'nothing was written');
select lives_ok(
  $$select messenger_dispatch('A', delay => interval '1 hour', ttl => interval '61 minutes')$$,
  'one that ends later is taken'
);

select * from finish();
rollback;
