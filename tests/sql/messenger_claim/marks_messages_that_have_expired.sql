-- They are handed out all the same: the worker moves them to the dead letters.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('short', ttl => interval '1 minute');
select messenger_dispatch('long', ttl => interval '1 minute 1 second');
select messenger_dispatch('endless');
select test.set_clock('2026-01-01 12:01Z');

select results_eq(
  $$select m ->> 'type', (m -> 'expired')::boolean
    from jsonb_array_elements(test.claim(test.token(1)) -> 'messages') as m$$,
  $$values ('short', true), ('long', false), ('endless', false)$$,
  'expired is what has reached its end'
);

select * from finish();
rollback;
