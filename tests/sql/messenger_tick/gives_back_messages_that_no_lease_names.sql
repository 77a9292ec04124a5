-- No sweep finds them. The tick that is asked for claims them.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
select test.dispatch('A');
select test.claim(test.token(1));
delete from messenger.leases;
select test.set_clock('2026-01-01 12:02Z');
select messenger_tick();
select is((select status from messenger_messages where type = 'A'), 'pending', 'it waits again');

select * from finish();
rollback;
