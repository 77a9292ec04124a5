-- Symphony Messenger: the engine, in SQL. Everything that has to hold after a crash is decided here.
--
-- OBJECTS
--   message      a row of messenger_messages: it waits (pending) or runs (processing)
--   queue        messages of one name, and what an operator sets for them: pause, limits, weight
--   lane         a queue under another one, reports/acme, for one tenant; lanes share what their queue gets
--   group        messages of one queue with one key, which run in the order of their ids
--   lease        the right of one worker to run some messages until a moment, known by its token
--   dead letter  a row of messenger_failed_messages: a message that is not tried again by itself
--   schedule     what makes messages at times; each planned time is an occurrence, and a run is its record
--   tick         one life of the Edge Function `tick`, in which a worker claims, runs and settles
--   outbox       messages of other transports, until a relay has published them
--   inbox        which deliveries of other transports are handled
--   alert        a rule that pg_cron checks every minute, and that is told on a channel
--
-- VERBS
--   dispatch     writes messages in the caller's transaction (messenger_enqueue, messenger_dispatch)
--   wake         asks for a tick at the commit, unless one is awake that will see the message
--   claim        locks ready messages, leases them, counts the attempt and hands them out
--   heartbeat    extends leases, and says which are lost or cancelled
--   settle       writes outcomes under the claim's token: handled, released, snoozed, retried, dead; with each, what
--                the handlers of the message dispatched
--   sweep        a claim that also takes messages whose lease ran out, or whose time to live is over
--   redrive      puts dead letters back into their queue
--
-- FLOW
--   dispatch -> pending -> claim -> processing -> settle -> gone           handled
--                  ^                                  |---> pending        released, snoozed, retried
--                  |                                  `---> dead letter    no retry is left, or none helps
--                  `--------- redrive ------------------------'
--   A message is ready when it is pending, neither blocked behind its group nor quarantined
--   (messenger.ready_messages). A claim takes it once it is due and its queue is open and has room. A lease that
--   ends without an outcome is a crash: the next sweep finds the message, and the worker's retry rule decides.
--
-- SCHEMAS
--   public       prefix messenger_: what operators look at in the dashboard, and what clients call
--   messenger    everything internal; the API does not expose it
--
-- ORDER OF LOCKS. A transaction that waits for locks takes them from the top to the bottom of this table, so that
-- two transactions never wait for each other. A transaction that cannot keep the order does not wait: it skips
-- locked rows, or notes them for later.
--   1  a user's quota of schedules    advisory; messenger.lock_schedule_quota
--   2  rate_limits                    rows by type and caller; messenger.count_dispatches
--   3  schedules                      rows ascending by id; claim, advance, trigger and save of schedules
--   4  the sequence of ids            advisory; messenger.mend_sequence, where the sequence is behind
--   5  idempotency_keys               rows by scope, type and key; messenger.take_keys; then dedupe keys on messages,
--                                     by type and key; messenger.write_keyed
--   5a groups in the outbox           advisory, ascending; messenger.write_outbox
--   5b the outbox                     rows ascending by position; retries of deliveries, cancel
--   5c handled_deliveries             rows by origin, id and publication; messenger.note_deliveries,
--                                     messenger.await_outcomes; then cancelled_deliveries in the same order
--   5d delivery_starts                rows by origin, id and publication; messenger_look_up_deliveries
--   6  groups                         advisory, ascending; settle, cancel
--   7  messages                       rows ascending by id; settle, cancel
--   8  dead letters                   rows ascending by id; settle
--   9  leases                         rows; last, and never waited for
--   Against the order: the keys of what a handler dispatched, after its message. A settle call waits 100 ms at most
--   for them (messenger.write_effects).
--   A relay locks the row of its shard alone or first (messenger.relays).
--   A row of a webhook endpoint is locked in a transaction that takes none of these.
--   Never waited for: the room of a queue with limits (messenger.queue_lock) and the lock between dispatches
--   and ticks (messenger.ticks_key). Claims, sweeps, heartbeats and the reopening of groups skip locked rows.
--
-- FILES. In the order in which they are applied and may be read; each opens with what it promises.
--   This folder is the source. `deno task release` makes the migration of it.

-- Checks, before anything is created, that this database has what Symphony Messenger stands on:
-- pg_cron calls the tick, pg_net carries it to the Edge Function, Vault keeps the key.
-- Each missing part gives one clear error, and nothing of the migration remains.

do $$
begin
  if to_regprocedure('public.messenger_version()') is not null then
    raise exception 'Symphony Messenger is in this database already'
      using hint = 'An installed schema is brought up to date by the migrations of the later releases.';
  end if;

  if to_regclass('public.messenger_messages') is not null then
    raise exception 'public.messenger_messages exists and is not a table of Symphony Messenger'
      using hint = 'Symfony''s Doctrine transport uses this name too: rename or move that table first.';
  end if;

  if exists (
    select from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('messenger')
  ) then
    raise exception 'the schema messenger exists and is not Symphony Messenger''s'
      using hint = 'The bus keeps its internal tables and functions in a schema of that name: rename yours first.';
  end if;

  if exists (
    select from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\_%'
    union all
    select from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%'
  ) then
    raise exception '% exists and is not Symphony Messenger''s', (
      select min(taken.name) from (
        select 'public.' || c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\_%'
        union all
        select 'public.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
        from pg_catalog.pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%'
      ) as taken (name)
    ) using hint = 'The names public.messenger_... are the bus''s, which grants and revokes rights by them: rename or move yours first.';
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

create schema messenger;
comment on schema messenger is
  'Internal tables and functions of Symphony Messenger. Not exposed by the API; what clients call and operators edit is in public, prefix messenger_.';
