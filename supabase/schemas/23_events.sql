-- Events: what messages wait for. An emit appends an event in its caller's transaction, so that an event of a
-- transaction that is rolled back was never there. Emits and waits never wait for each other; 23_events_waits.sql says
-- how a message learns of an event that commits at the moment at which the message begins to wait.

create table public.messenger_events (
  id bigint generated always as identity primary key,
  event text not null check (length(event) between 1 and 255),
  value jsonb,
  created_at timestamptz not null default public.messenger_now(),
  xid xid8 not null default pg_current_xact_id(),
  bytes integer generated always as (coalesce(octet_length(value::text), 0)) stored,
  constraint "value: has to have at most 256000 bytes" check (bytes <= 256000)
);

comment on table public.messenger_events is
  'Emitted events, for messages that wait for them. messenger_prune_events() deletes those older than 30 days.';
comment on column public.messenger_events.id is
  'Identity of the event; a wait takes the events of its key in the order of their ids.';
comment on column public.messenger_events.event is
  'Key of the event, such as approved:42.';
comment on column public.messenger_events.value is
  'Value that the event tells, at most 256,000 bytes of JSON; null if it tells nothing.';
comment on column public.messenger_events.created_at is
  'When it was emitted, on the clock of the bus at that moment.';
comment on column public.messenger_events.xid is
  'Transaction that emitted it. An event with a low id may be committed late; its transaction tells which waits have not seen it.';
comment on column public.messenger_events.bytes is
  'Length of the value as text, by which reads are bounded.';

create index messenger_events_event_idx on public.messenger_events (event, id);
comment on index public.messenger_events_event_idx is
  'Events of a key in order.';
create index messenger_events_xid_idx on public.messenger_events (event, xid);
comment on index public.messenger_events_xid_idx is
  'Events of a key by transaction, for those that were committed late.';
create index messenger_events_created_at_idx on public.messenger_events (created_at);
comment on index public.messenger_events_created_at_idx is
  'Events by age: for pruning, and for the place at which a message''s first read of a key begins.';

alter table public.messenger_events enable row level security;

create table messenger.used_tokens (
  token_id text primary key check (length(token_id) between 1 and 100),
  expires_at timestamptz not null
);

comment on table messenger.used_tokens is
  'Tokens that have emitted their event, so that none does it twice. A row goes once its token has expired.';
comment on column messenger.used_tokens.token_id is
  'Random id that the token carries.';
comment on column messenger.used_tokens.expires_at is
  'When the token expires.';

create index used_tokens_expires_at_idx on messenger.used_tokens (expires_at);
comment on index messenger.used_tokens_expires_at_idx is
  'Used tokens by the time from which they are refused anyway, for pruning.';

alter table messenger.used_tokens enable row level security;

-- The clock of this moment, and not the start of the transaction: a message that was dispatched while this transaction
-- was open has to see its event as emitted since.
create function messenger.append_event(p_event text, p_value jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  appended bigint;
begin
  insert into public.messenger_events as e (event, value, created_at)
  values (p_event, p_value, messenger.clock())
  returning e.id into appended;
  return appended;
end
$$;
comment on function messenger.append_event(text, jsonb) is
  'Appends an event, of the bus''s own or of a user, and returns its id. The commit wakes the messages that wait for it.';

create function messenger.check_event(p_event text, p_value jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  bytes constant integer := octet_length(p_value::text);
begin
  if (p_event ~ '^[^[:cntrl:]]{1,255}$') is not true then
    raise sqlstate 'PT400' using message = format(
      'event: has to be 1 to 255 characters, none of them a control character (was %s)', coalesce(quote_literal(left(p_event, 60)), 'null')
    );
  end if;
  if starts_with(p_event, 'messenger.') then
    raise sqlstate 'PT400' using message = format(
      'event: may not begin with messenger., which is for the bus itself (was %L)', left(p_event, 60)
    );
  end if;
  if bytes > 256000 then
    raise sqlstate 'PT400' using message = format('value: has to have at most 256000 bytes (was %s)', bytes);
  end if;
  perform messenger.check_json(p_value, 'value');
end
$$;
comment on function messenger.check_event(text, jsonb) is
  'Part of an emit: refuses a key that no user may emit, and a value that is too large or has a number that a reader would change.';

create function public.messenger_emit(event text, value jsonb default null) returns text
language plpgsql
set search_path = ''
as $$
declare
  id bigint;
  fault_detail text;
begin
  perform messenger.check_event(event, value);
  id := messenger.append_event(event, value);
  if id is null then
    perform messenger.refuse_skipped('messenger_events');
  end if;
  perform messenger.check_deferred('messenger_emit');
  return id::text;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_emit(text, jsonb) is
  'Emits an event in this transaction: the messages that wait for its key take it once the transaction is committed. Returns the id of the event.';

-- `token_id` and `expires_at` stand in the token, whose signature the edge function has checked.
create function public.messenger_emit_token(
  event text, token_id text, expires_at timestamptz, value jsonb default null
) returns text
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  if token_id is null or expires_at is null then
    raise sqlstate 'PT400' using message = 'token: has to have an id and an end';
  elsif length(token_id) not between 1 and 100 then
    raise sqlstate 'PT400' using message = format('token_id: has to be 1 to 100 characters (was %s)', length(token_id));
  end if;
  -- messenger_prune_events() has forgotten whether it was used. The function's clock may be that far behind.
  if expires_at < public.messenger_now() - interval '1 hour' then
    raise sqlstate 'PT409' using message = 'token: has expired';
  end if;
  insert into messenger.used_tokens as u (token_id, expires_at)
  values (messenger_emit_token.token_id, messenger_emit_token.expires_at)
  on conflict on constraint used_tokens_pkey do nothing;
  if not found then
    raise sqlstate 'PT409' using message = 'token: was used already';
  end if;
  return public.messenger_emit(event, value);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_emit_token(text, text, timestamptz, jsonb) is
  'Emits the event of a token, once: a second call with the same token is refused (PT409). Returns the id of the event.';
