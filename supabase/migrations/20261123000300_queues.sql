-- Queues: a row each, made by itself when the first message of a queue is written.
-- The row says that the queue exists and holds what an operator may set.

create table if not exists public.messenger_queues (
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  paused boolean not null default false,
  created_at timestamptz not null default now()
);

comment on table public.messenger_queues is
  'The queues of the bus and their settings. A queue appears by itself with its first message.';
comment on column public.messenger_queues.name is
  'Name of the queue: letters, digits and _ . : - only.';
comment on column public.messenger_queues.paused is
  'A paused queue keeps accepting messages; none of them is claimed until it is resumed.';
comment on column public.messenger_queues.created_at is
  'When the queue was first used.';

alter table public.messenger_queues enable row level security;
revoke all on table public.messenger_queues from anon, authenticated;
grant select, insert, update, delete on table public.messenger_queues to service_role;

insert into public.messenger_queues (name) values ('default') on conflict do nothing;
