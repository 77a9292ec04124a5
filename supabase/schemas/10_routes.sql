-- Routes: the transports beside home, and which types of messages go through them. A project declares both in code; the
-- first tick of a deploy writes them here, because triggers, schedules and redrives have to know them as well. A project
-- without transports has no rows, and its dispatches cost one read of an empty table.

create table messenger.transports (
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$' and name <> 'home'),
  received boolean not null
);
comment on table messenger.transports is
  'Transports that the project''s code declares beside home, which is this database.';
comment on column messenger.transports.name is 'Name in the configuration.';
comment on column messenger.transports.received is
  'Whether this project''s workers receive its messages; false: another project handles them.';
alter table messenger.transports enable row level security;

create table messenger.routes (
  pattern text primary key check (length(pattern) between 1 and 200),
  transport text check (length(transport) between 1 and 100),
  expression text not null generated always as (
    replace(replace(replace(replace(pattern, '\', '\\'), '_', '\_'), '%', '\%'), '*', '%')
  ) stored
);
comment on table messenger.routes is
  'Routes that the project''s code declares: the transport of the messages of a type.';
comment on column messenger.routes.pattern is 'A type, or a pattern in which * stands for any letters.';
comment on column messenger.routes.transport is
  'Name of the transport, or home; null if a function in code decides, which SQL cannot call.';
comment on column messenger.routes.expression is 'The pattern as an expression of LIKE.';
alter table messenger.routes enable row level security;

-- An exact type comes first, then the longest pattern, as in code (bus/routing.ts).
create function messenger.route_of(p_type text) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  route messenger.routes;
begin
  select r.* into route from messenger.routes r
  where p_type = r.pattern or strpos(r.pattern, '*') > 0 and p_type like r.expression
  order by r.pattern = p_type desc, length(r.pattern) desc, r.pattern collate "C"
  limit 1;
  if found and route.transport is null then
    raise sqlstate 'PT400' using message = format(
      'transport: a function in code routes %s, which SQL cannot call; name the transport', p_type
    );
  end if;
  return coalesce(route.transport, 'home');
end
$$;
comment on function messenger.route_of(text) is
  'The transport that messages of a type go through: home, or one of messenger.transports. PT400 if a function in code decides.';

create function messenger.transport_problem(p_transport text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  if p_transport = 'home' or exists (select from messenger.transports t where t.name = p_transport) then
    return null;
  end if;
  return format(
    'there is no transport %s; there are home%s', p_transport,
    (select coalesce(string_agg(', ' || t.name, '' order by t.name), '') from messenger.transports t)
  );
end
$$;
comment on function messenger.transport_problem(text) is
  'Why a dispatch cannot name this transport; null if it can.';

create function messenger.declared_routing() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if not exists (select from messenger.transports) then
    return '{}'::jsonb;
  end if;
  return jsonb_build_object('routing', jsonb_build_object(
    'transports', (select jsonb_object_agg(t.name, t.received) from messenger.transports t),
    'routes', (select coalesce(jsonb_object_agg(r.pattern, r.transport), '{}') from messenger.routes r)
  ));
end
$$;
comment on function messenger.declared_routing() is
  'Part of messenger_start_tick: {"routing": {"transports": {name: received}, "routes": {pattern: transport or null}}}; {} if there are none.';

-- Takes the place of what was declared before. Two ticks of one deploy may declare at once: the second one waits.
create function public.messenger_declare_routing(transports jsonb, routes jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  if jsonb_typeof(transports) is distinct from 'object' or jsonb_typeof(routes) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'transports: has to be an object, as routes has';
  end if;
  select format('transports: %s is no name of 1 to 100 letters, digits or _ . : -, other than home', left(quote_literal(t.name), 120))
  into fault_detail from jsonb_object_keys(transports) as t (name)
  where t.name = 'home' or t.name !~ '^[A-Za-z0-9_.:-]{1,100}$' limit 1;
  if found then
    raise sqlstate 'PT400' using message = fault_detail;
  elsif exists (select from jsonb_object_keys(routes) as r (pattern) where length(r.pattern) not between 1 and 200) then
    raise sqlstate 'PT400' using message = 'routes: have to have patterns of 1 to 200 characters';
  end if;
  lock table messenger.transports in share row exclusive mode;
  delete from messenger.routes r where not coalesce(messenger_declare_routing.routes ? r.pattern, false);
  delete from messenger.transports t where not coalesce(messenger_declare_routing.transports ? t.name, false);
  insert into messenger.transports as known (name, received)
  select d.key, d.value::boolean from jsonb_each_text(messenger_declare_routing.transports) as d
  on conflict on constraint transports_pkey do update set received = excluded.received;
  insert into messenger.routes as known (pattern, transport)
  select d.key, d.value from jsonb_each_text(messenger_declare_routing.routes) as d
  on conflict on constraint routes_pkey do update set transport = excluded.transport;
  perform messenger.check_deferred('messenger_declare_routing');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_shape(sqlstate, 'transports', transports, '{"*!": "boolean"}');
  perform messenger.refuse_shape(sqlstate, 'routes', routes, '{"*": "text 1..100"}');
  raise;
end
$$;
comment on function public.messenger_declare_routing(jsonb, jsonb) is
  'Writes the transports {name: received} and routes {pattern: transport or null} of the project''s code in the place of those before.';
