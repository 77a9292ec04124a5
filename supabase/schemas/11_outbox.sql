-- The outbox: messages of other transports, until they are published.

-- `p_messages` is an array as messenger_enqueue takes it, each with its `transport`; with `p_reserved` also with its `id`.
create function messenger.write_outbox(p_messages jsonb, p_reserved boolean) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT501' using message = format(
    'transport: %s needs the outbox, which this release does not have (%s reserved)',
    p_messages -> 0 ->> 'transport', case when p_reserved then 'ids' else 'no id' end
  );
end
$$;
comment on function messenger.write_outbox(jsonb, boolean) is
  'Part of messenger_enqueue: writes messages of other transports to the outbox. Returns {"ids": [...]} in their order.';
