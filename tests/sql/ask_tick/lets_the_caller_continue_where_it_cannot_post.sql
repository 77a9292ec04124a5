-- A dispatch must not fail for a wake-up: the minute's tick does the work.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name = 'symphony_url';
select is(messenger.ask_tick(), null, 'no tick was asked for');
select is_empty('select id from messenger_ticks', 'none counts as asked for');
select lives_ok($$select messenger_dispatch('A')$$, 'a dispatch continues');

select * from finish();
rollback;
