-- Stands in for the extension pg_net 0.20: the same tables, functions and grants. The worker that
-- sends the requests is local/pg_net.ts; a NOTIFY at commit tells it, where pg_net sets a flag and a latch.

create schema net;

create domain net.http_method as text
  check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index _http_response_created_idx on net._http_response (created);

create function net._wake_worker() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  notify pg_net_wake;
  return null;
end
$$;
create trigger wake_worker after insert on net.http_request_queue
  for each statement execute function net._wake_worker();

create function net._url_encode(string text) returns text
language sql immutable strict
set search_path = ''
return (
  select coalesce(string_agg(
    case
      when l.letter ~ '[A-Za-z0-9._~-]' then l.letter
      else regexp_replace(upper(encode(convert_to(l.letter, 'UTF8'), 'hex')), '(..)', '%\1', 'g')
    end, '' order by l.place), '')
  from regexp_split_to_table(string, '') with ordinality as l (letter, place)
);

create function net._with_params(url text, params jsonb) returns text
language sql immutable strict
set search_path = ''
return (
  select url || coalesce(
    case when position('?' in url) > 0 then '&' else '?' end
      || string_agg(net._url_encode(key) || '=' || net._url_encode(value), '&'), '')
  from jsonb_each_text(params)
);

create function net.http_get(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds int default 5000
) returns bigint
language sql strict
security definer
set search_path = ''
begin atomic
  insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
  values ('GET', net._with_params(url, params), headers, timeout_milliseconds)
  returning id;
end;

create function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds int default 5000,
  body jsonb default null
) returns bigint
language sql
security definer
set search_path = ''
begin atomic
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'DELETE', net._with_params(url, params), headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
  returning id;
end;

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds int default 5000
) returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  content_type text := (
    select h.value from jsonb_each_text(coalesce(headers, '{}')) as h where lower(h.key) = 'content-type' limit 1
  );
  request_id bigint;
begin
  if body is null then
    raise exception 'body must not be null';
  end if;
  if content_type is null then
    headers := coalesce(headers, '{}') || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;

  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'POST', net._with_params(url, params), headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
  returning id into request_id;
  return request_id;
end
$$;

revoke execute on all functions in schema net from public;
grant usage on schema net to postgres, anon, authenticated, service_role;
grant execute on function net.http_get, net.http_post, net.http_delete
  to postgres, anon, authenticated, service_role;
grant all on all tables in schema net to postgres;
grant all on all sequences in schema net to postgres;
