-- Checks, before anything is created, that this database has what Symphony Messenger stands on:
-- pg_cron calls the tick, pg_net carries it to the Edge Function, Vault keeps the key.
-- Each missing part gives one clear error, and nothing of the migration remains.

do $$
begin
  if to_regclass('public.messenger_messages') is not null
     and not exists (
       select from pg_catalog.pg_attribute
       where attrelid = to_regclass('public.messenger_messages') and attname = 'lease_token'
     ) then
    raise exception 'public.messenger_messages exists and is not a table of Symphony Messenger'
      using hint = 'Symfony''s Doctrine transport uses this name too: rename or move that table first.';
  end if;

  if to_regclass('messenger.leases') is null and exists (
    select from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('messenger')
  ) then
    raise exception 'the schema messenger exists and is not Symphony Messenger''s'
      using hint = 'The bus keeps its internal tables and functions in a schema of that name: rename yours first.';
  end if;

  if to_regnamespace('cron') is null then
    if not exists (select from pg_catalog.pg_available_extensions where name = 'pg_cron') then
      raise exception 'pg_cron is missing: Symphony Messenger needs it to call the tick every minute'
        using hint = 'Enable it in the dashboard under Integrations > Cron, then push again.';
    end if;
    create extension if not exists pg_cron with schema pg_catalog;
    grant usage on schema cron to postgres;
    grant all privileges on all tables in schema cron to postgres;
  end if;

  if to_regnamespace('net') is null then
    if not exists (select from pg_catalog.pg_available_extensions where name = 'pg_net') then
      raise exception 'pg_net is missing: Symphony Messenger needs it to call the tick function'
        using hint = 'Enable it in the dashboard under Database > Extensions, then push again.';
    end if;
    create schema if not exists extensions;
    create extension if not exists pg_net with schema extensions;
  end if;

  if to_regclass('vault.decrypted_secrets') is null then
    if not exists (select from pg_catalog.pg_available_extensions where name = 'supabase_vault') then
      raise exception 'Vault is missing: Symphony Messenger keeps the key of the tick function there'
        using hint = 'Enable supabase_vault under Integrations > Vault, then push again.';
    end if;
    create extension if not exists supabase_vault with schema vault cascade;
  end if;

  if not exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
    raise exception 'the role service_role is missing: this is not a Supabase database'
      using hint = 'Use a Supabase project, `supabase start`, or the local stack of this project.';
  end if;
end
$$;

create schema if not exists messenger;
comment on schema messenger is
  'Internal tables and functions of Symphony Messenger. Not exposed by the API; what clients call and operators edit is in public, prefix messenger_.';
