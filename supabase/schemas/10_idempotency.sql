-- Idempotency keys, and dedupe keys with a window: a repeated dispatch returns the id of the first message
-- and writes nothing.

create table messenger.idempotency_keys (
  scope text not null default '',
  type text not null,
  key text not null check (length(key) between 1 and 255),
  message_id bigint not null,
  content_hash bigint,
  expires_at timestamptz not null,
  primary key (scope, type, key)
);

comment on table messenger.idempotency_keys is
  'Idempotency keys of the last 24 hours, and dedupe keys within their window: a repeated dispatch returns the first message''s id.';
comment on column messenger.idempotency_keys.scope is
  'Owner of the key: a user''s id, or empty for holders of a secret key and for SQL; dedupe:<type> for dedupe keys.';
comment on column messenger.idempotency_keys.type is
  'Message type: keys of two types are two keys.';
comment on column messenger.idempotency_keys.key is
  'The caller''s idempotency key or dedupe key.';
comment on column messenger.idempotency_keys.message_id is
  'The message of the first dispatch; it may be handled or dead by now.';
comment on column messenger.idempotency_keys.content_hash is
  'Hash of what was dispatched: payload, queue, priority, group, delay or due time, ttl. Other content under an idempotency key is refused. Null for dedupe keys, which stand for whatever is dispatched.';
comment on column messenger.idempotency_keys.expires_at is
  'From this moment on the key is free again.';

create index idempotency_keys_expires_at_idx
  on messenger.idempotency_keys (expires_at);
comment on index messenger.idempotency_keys_expires_at_idx is
  'Expired keys, for pruning.';

alter table messenger.idempotency_keys enable row level security;
