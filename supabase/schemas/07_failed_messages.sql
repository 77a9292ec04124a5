-- The dead letter queue: messages that will not be tried again by themselves, with every attempt's
-- error and the reason, until an operator redrives or removes them.

create table public.messenger_failed_messages (
  id bigint primary key,
  type text not null,
  payload jsonb not null,
  queue text not null,
  priority smallint not null default 0,
  status text not null default 'failed' check (status = 'failed'),
  reason text not null check (
    reason in (
      'exhausted', 'unrecoverable', 'crashed', 'invalid', 'unknown_type', 'expired', 'cancelled',
      'interrupted'
    )
  ),
  error text,
  errors jsonb not null default '[]',
  retry_count integer not null default 0,
  attempts integer not null default 0,
  redriven integer not null default 0,
  group_key text,
  stamps jsonb,
  created_at timestamptz not null,
  failed_at timestamptz not null default now()
);

-- The same as in the constraint, which no function may stand in: a changed function checks no row again.
create function messenger.dead_reasons() returns text[]
language plpgsql immutable
set search_path = ''
as $$
begin
  return array[
    'exhausted', 'unrecoverable', 'crashed', 'invalid', 'unknown_type', 'expired', 'cancelled', 'interrupted'
  ];
end
$$;
comment on function messenger.dead_reasons() is
  'The reasons for which messages become dead letters.';

comment on table public.messenger_failed_messages is
  'The dead letter queue. Redrive with messenger_redrive(), remove with messenger_remove_failed().';
comment on column public.messenger_failed_messages.id is
  'The id the message had while it waited and ran; a redrive keeps it.';
comment on column public.messenger_failed_messages.type is
  'Name of the message definition.';
comment on column public.messenger_failed_messages.payload is
  'Content that the handler received.';
comment on column public.messenger_failed_messages.queue is
  'Queue the message came from, and to which a redrive returns it.';
comment on column public.messenger_failed_messages.priority is
  'Priority the message had in its queue.';
comment on column public.messenger_failed_messages.status is
  'Always failed.';
comment on column public.messenger_failed_messages.reason is
  'exhausted: no retry left. unrecoverable: an error that no retry mends. crashed: its worker died each time. invalid: the payload does not fit the schema. unknown_type: no definition of that name. expired: too old to matter. cancelled: an operator or its user gave it up. interrupted: its worker ended before it was done, ten times and more.';
comment on column public.messenger_failed_messages.error is
  'Text of the last error, to read and to filter by; errors holds all of them.';
comment on column public.messenger_failed_messages.errors is
  'Failed attempts, oldest first: message, class, code, stack, attempt, handler, when, how long.';
comment on column public.messenger_failed_messages.retry_count is
  'Retries charged to the retry strategy before the end.';
comment on column public.messenger_failed_messages.attempts is
  'How often a worker had claimed the message.';
comment on column public.messenger_failed_messages.redriven is
  'How often the message had been redriven before it came here again.';
comment on column public.messenger_failed_messages.group_key is
  'Key of the ordered group the message belongs to, if any.';
comment on column public.messenger_failed_messages.stamps is
  'Data that travels with the message besides its payload: handlers done, schedule, user, redrives.';
comment on column public.messenger_failed_messages.created_at is
  'When the message was first dispatched.';
comment on column public.messenger_failed_messages.failed_at is
  'When the message was given up.';

create index messenger_failed_messages_failed_at_idx
  on public.messenger_failed_messages (failed_at, id);
comment on index public.messenger_failed_messages_failed_at_idx is
  'Dead letters by age, for lists, redrives in order, and pruning.';
create index messenger_failed_messages_type_idx
  on public.messenger_failed_messages (type, failed_at, id);
comment on index public.messenger_failed_messages_type_idx is
  'Dead letters of one type by age.';

create index messenger_failed_messages_user_idx
  on public.messenger_failed_messages ((stamps #>> '{user,id}'), id)
  where stamps #>> '{user,id}' is not null;
comment on index public.messenger_failed_messages_user_idx is
  'Dead letters of users, to be listed.';

alter table public.messenger_failed_messages enable row level security;
