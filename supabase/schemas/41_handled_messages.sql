-- Handled messages are remembered for a time if their type asks for it, so that the dispatcher can learn that
-- a message is done. All other handled messages leave nothing behind.

create table public.messenger_handled_messages (
  id bigint primary key,
  type text not null,
  queue text not null,
  user_id text,
  attempts integer not null,
  created_at timestamptz not null,
  handled_at timestamptz not null,
  keep_until timestamptz not null,
  result jsonb,
  constraint "result: has to have at most 524288 bytes" check (
    pg_column_size(result) <= 524288 or octet_length(result::text) <= 393216
  )
);

comment on table public.messenger_handled_messages is
  'Handled messages of definitions with keep, without their payload, until keep_until.';
comment on column public.messenger_handled_messages.id is
  'The id the message had while it waited and ran.';
comment on column public.messenger_handled_messages.type is
  'Name of the message definition.';
comment on column public.messenger_handled_messages.queue is
  'Queue the message was handled from.';
comment on column public.messenger_handled_messages.user_id is
  'Id of the user who dispatched it over HTTPS, if a user did.';
comment on column public.messenger_handled_messages.attempts is
  'How often a worker had claimed the message; 1 where it was handled at once.';
comment on column public.messenger_handled_messages.created_at is
  'When the message was dispatched.';
comment on column public.messenger_handled_messages.handled_at is
  'When it was handled.';
comment on column public.messenger_handled_messages.keep_until is
  'From this moment on it is forgotten.';
comment on column public.messenger_handled_messages.result is
  'The value that its handler returned, if its definition keeps it or a handler waits for it.';

create index messenger_handled_messages_keep_until_idx
  on public.messenger_handled_messages (keep_until);
comment on index public.messenger_handled_messages_keep_until_idx is
  'Rows by the time at which they are to be deleted, for pruning.';

create index messenger_handled_messages_user_idx
  on public.messenger_handled_messages (user_id, id)
  where user_id is not null;
comment on index public.messenger_handled_messages_user_idx is
  'Handled messages of users, to be listed.';

alter table public.messenger_handled_messages enable row level security;

-- `p_kept` is an array of {id, keep_ms, result?}. Runs in the settle call before it deletes the rows, and does
-- not find a message that has another lease by now. The lock keeps each lease until the row is deleted.
create function messenger.remember_handled(p_kept jsonb, p_fence uuid) returns void
language sql
set search_path = ''
as $$
  insert into public.messenger_handled_messages
    (id, type, queue, user_id, attempts, created_at, handled_at, keep_until, result)
  select m.id, m.type, m.queue, m.stamps #>> '{user,id}', m.attempts, m.created_at,
    public.messenger_now(), public.messenger_now() + k.keep_ms * interval '1 millisecond', k.result
  from jsonb_to_recordset(p_kept) as k (id bigint, keep_ms double precision, result jsonb)
  join public.messenger_messages m on m.id = k.id
  where m.lease_token = p_fence
  order by m.id
  for update of m
  on conflict (id) do nothing
$$;
comment on function messenger.remember_handled(jsonb, uuid) is
  'Part of messenger_settle: remembers messages that are being handled under a lease token, each for its keep_ms.';
