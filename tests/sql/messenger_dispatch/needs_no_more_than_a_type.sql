-- Everything else has a default.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select lives_ok($$select messenger_dispatch('bare')$$, 'a type is enough');
select is((select payload from messenger_messages), '{}', 'the payload is empty');
select is((select available_at from messenger_messages), messenger_now(), 'it is due at once');

select * from finish();
rollback;
