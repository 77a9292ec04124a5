-- A role that may write messages needs no grants for Vault and pg_net.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create role test_writer;
grant usage on schema messenger, extensions to test_writer;
grant execute on function messenger.ask_tick() to test_writer;
set local role test_writer;
select throws_ok(
  'select * from vault.decrypted_secrets', '42501', null, 'the caller may not read Vault'
);
select isnt(messenger.ask_tick(), null, 'and asks for a tick');
reset role;

select * from finish();
rollback;
