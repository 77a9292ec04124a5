-- A key without its message would swallow the caller's next attempt.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_enqueue('[{"type":"bad","priority":2000,"idempotency_key":"k"}]', true)$$, '23514'
);
select messenger_enqueue('[{"type":"good","idempotency_key":"k"}]');
select is(array(select type from messenger_messages), array['good'], 'the key is still free');

select * from finish();
rollback;
