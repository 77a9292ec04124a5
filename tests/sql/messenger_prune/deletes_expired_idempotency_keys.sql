-- From that moment on the key is free in any case.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', idempotency_key => 'expired');
select test.set_clock('2026-01-01 12:01Z');
select messenger_dispatch('A', idempotency_key => 'lives');
select test.set_clock('2026-01-02 12:00Z');
select is(messenger_prune() -> 'idempotency_keys', '1', 'one has expired');
select is(array(select key from messenger.idempotency_keys), array['lives'], 'the other stays');

select * from finish();
rollback;
