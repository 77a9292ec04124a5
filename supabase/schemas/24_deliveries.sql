-- Deliveries: messages that an engine hands to this project's workers. Their outcomes are written here before the engine
-- is told, so that nothing is lost in between, and the copy that the engine then gives out again is known.
--
-- An outcome with consequences (a retry, a dead letter, effects, a result to keep) takes the way of home's messages: the
-- delivery is adopted, which makes it a running message of home, and settled, in one transaction. A message that waits for another
-- attempt then returns to the outbox, as the next publication. A message whose handler takes a durable step, or reports
-- its progress, is adopted for good: from then on it is a message of home.

create table messenger.handled_deliveries (
  transport text not null,
  origin uuid not null,
  id bigint not null,
  publication integer not null,
  handled_at timestamptz not null,
  primary key (transport, origin, id, publication)
);
comment on table messenger.handled_deliveries is
  'The inbox: publications whose outcome is written. A further copy of one is dropped.';
comment on column messenger.handled_deliveries.transport is
  'Name of the transport that delivered it.';
comment on column messenger.handled_deliveries.origin is
  'Installation that dispatched it: ids are unique only within one.';
comment on column messenger.handled_deliveries.id is
  'Identity of the message in its origin.';
comment on column messenger.handled_deliveries.publication is
  'Number of the publication.';
comment on column messenger.handled_deliveries.handled_at is
  'When its outcome was written, for pruning.';
create index handled_deliveries_handled_at_idx on messenger.handled_deliveries (handled_at);
comment on index messenger.handled_deliveries_handled_at_idx is
  'Deliveries by age, for pruning.';
alter table messenger.handled_deliveries enable row level security;

-- An engine counts a delivery whether or not a worker started it: a worker that ends gives back what it has fetched. So
-- copies that come again and again are counted here, each time that a worker takes one.
create table messenger.delivery_starts (
  transport text not null,
  origin uuid not null,
  id bigint not null,
  publication integer not null,
  starts integer not null default 1,
  started_at timestamptz not null,
  primary key (transport, origin, id, publication)
);
comment on table messenger.delivery_starts is
  'Publications that were delivered many times, and how often a worker took one since.';
comment on column messenger.delivery_starts.transport is
  'Name of the transport that delivered it.';
comment on column messenger.delivery_starts.origin is
  'Installation that dispatched it: ids are unique only within one.';
comment on column messenger.delivery_starts.id is
  'Identity of the message in its origin.';
comment on column messenger.delivery_starts.publication is
  'Number of the publication.';
comment on column messenger.delivery_starts.starts is
  'How often a worker took it.';
comment on column messenger.delivery_starts.started_at is
  'When a worker took it last, for pruning.';
create index delivery_starts_started_at_idx on messenger.delivery_starts (started_at);
comment on index messenger.delivery_starts_started_at_idx is
  'Started deliveries by age, for pruning.';
alter table messenger.delivery_starts enable row level security;

-- An engine keeps what it has, so that a cancel of such a message is noted, and the message is dropped when a worker gets
-- it. A mark goes with the outcome of its publication.
create table messenger.cancelled_deliveries (
  transport text not null,
  id bigint not null,
  publication integer not null,
  cancelled_at timestamptz not null,
  primary key (transport, id, publication)
);
comment on table messenger.cancelled_deliveries is
  'Publications that were cancelled while their engine had them.';
comment on column messenger.cancelled_deliveries.transport is
  'Name of the transport that has it.';
comment on column messenger.cancelled_deliveries.id is
  'Identity of the message, which this installation dispatched.';
comment on column messenger.cancelled_deliveries.publication is
  'Number of the publication.';
comment on column messenger.cancelled_deliveries.cancelled_at is
  'When it was cancelled, for pruning.';
create index cancelled_deliveries_cancelled_at_idx on messenger.cancelled_deliveries (cancelled_at);
comment on index messenger.cancelled_deliveries_cancelled_at_idx is
  'Cancelled deliveries by age, for pruning.';
alter table messenger.cancelled_deliveries enable row level security;

-- `deliveries` is an array of {origin, source_id, publication, counted}.
create function public.messenger_look_up_deliveries(transport text, deliveries jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  own constant uuid := messenger.installation_id();
  found jsonb;
  fault_detail text;
begin
  if transport is null or length(transport) not between 1 and 100 then
    raise sqlstate 'PT400' using message = 'transport: has to be a name of 1 to 100 characters';
  end if;
  perform messenger.check_rows(deliveries, 'deliveries');
  with given as materialized (
    select d.*, exists (
      select from messenger.handled_deliveries h
      where h.transport = messenger_look_up_deliveries.transport and h.origin = d.origin and h.id = d.source_id
        and h.publication = d.publication
    ) as handled, d.origin = own
      and messenger.is_marked(messenger_look_up_deliveries.transport, d.source_id, d.publication) as cancelled
    from rows from (
      jsonb_to_recordset(deliveries) as (origin uuid, source_id bigint, publication integer, counted boolean)
    ) with ordinality as d (origin, source_id, publication, counted, place)
  ),
  started as (
    insert into messenger.delivery_starts as known (transport, origin, id, publication, started_at)
    select distinct on (g.origin, g.source_id, g.publication)
      messenger_look_up_deliveries.transport, g.origin, g.source_id, g.publication, public.messenger_now()
    from given g where g.counted and not g.handled
    order by g.origin, g.source_id, g.publication
    on conflict on constraint delivery_starts_pkey do update
    set starts = least(known.starts + 1, 1000), started_at = excluded.started_at
    returning known.origin, known.id, known.publication, known.starts
  )
  select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'handled', g.handled, 'cancelled', nullif(g.cancelled, false), 'starts', coalesce(s.starts, 0)
  )) order by g.place)
  into found
  from given g
  left join started s on s.origin = g.origin and s.id = g.source_id and s.publication = g.publication;
  perform messenger.check_deferred('messenger_look_up_deliveries');
  return jsonb_strip_nulls(jsonb_build_object(
    'deliveries', coalesce(found, '[]'), 'cancels', nullif(messenger.has_cancels(transport), false)
  ));
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_shape(
    sqlstate, 'deliveries', deliveries,
    '[{"origin!": "uuid", "source_id!": "bigint", "publication!": "integer", "counted": "boolean"}]'
  );
  raise;
end
$$;
comment on function public.messenger_look_up_deliveries(text, jsonb) is
  'Which of these deliveries are handled already or cancelled, and how often a worker took those that are counted, this time included: {"deliveries": [{"handled", "cancelled", "starts"}]}, in order; and "cancels": true if any of the transport is cancelled.';

create function messenger.has_outcome(p_transport text, p_id bigint, p_publication integer) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (
    select from messenger.handled_deliveries h
    where h.transport = p_transport and h.origin = (select i.id from messenger.installation i)
      and h.id = p_id and h.publication = p_publication
  );
end
$$;
comment on function messenger.has_outcome(text, bigint, integer) is
  'Whether the outcome of a publication of this installation is written.';

create function messenger.is_marked(p_transport text, p_id bigint, p_publication integer) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (
    select from messenger.cancelled_deliveries c
    where c.transport = p_transport and c.id = p_id and c.publication = p_publication
  );
end
$$;
comment on function messenger.is_marked(text, bigint, integer) is
  'Whether a publication was cancelled while its engine had it.';

create function messenger.has_cancels(p_transport text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (select from messenger.cancelled_deliveries c where c.transport = p_transport);
end
$$;
comment on function messenger.has_cancels(text) is
  'Whether deliveries of a transport were cancelled that have no outcome yet. Workers look up what they get then.';

create function messenger.refuse_deliveries(p_sqlstate text, p_handled jsonb, p_adopted jsonb, p_settlements jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  handled constant jsonb := '{"id!": "bigint", "origin!": "uuid", "source_id!": "bigint", "publication!": "integer"}'::jsonb;
begin
  perform messenger.refuse_shape(p_sqlstate, 'handled', p_handled, jsonb_build_array(handled));
  perform messenger.refuse_shape(p_sqlstate, 'adopted', p_adopted, jsonb_build_array(handled || '{
    "token!": "uuid", "type!": "text 1..200", "queue!": "queue", "priority!": "smallint -1000..1000",
    "expires_at": "timestamptz", "created_at!": "timestamptz", "retry_count!": "integer", "attempts!": "integer",
    "snoozes!": "integer", "interruptions!": "integer", "group_key": "text 1..255", "stamps": {}, "errors": [{}]
  }'));
  perform messenger.refuse_shape(p_sqlstate, 'settlements', p_settlements, messenger.settlements_shape());
end
$$;
comment on function messenger.refuse_deliveries(text, jsonb, jsonb, jsonb) is
  'Part of messenger_settle_deliveries that has failed: raises PT400 with the first field that has a wrong value.';

-- `handled`: [{id, origin, source_id, publication}], deliveries that need no more than this note. `adopted`: those with
-- further consequences, each with the columns of its message and its lease's `token`. `settlements` are outcomes of
-- adopted ones, as messenger_settle takes them; an adopted one without an outcome stays running, as a message of home.
create function public.messenger_settle_deliveries(
  transport text, handled jsonb default '[]', adopted jsonb default '[]', settlements jsonb default '[]',
  lease_ms integer default 60000
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  fresh bigint[];
  repeated bigint[];
  again bigint[];
  answer jsonb;
  fault_detail text;
begin
  if lease_ms is null or lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  elsif transport is null or length(transport) not between 1 and 100 then
    raise sqlstate 'PT400' using message = 'transport: has to be a name of 1 to 100 characters';
  end if;
  perform messenger.check_rows(handled, 'handled');
  perform messenger.check_rows(adopted, 'adopted');
  again := array(
    select (s.value ->> 'id')::bigint from jsonb_path_query(settlements, '$[*].*[*] ? (exists(@.delay_ms))') as s (value)
  );
  perform messenger.lock_publications(transport, adopted, again);
  fresh := messenger.note_deliveries(transport, handled || adopted);
  repeated := array(
    select (d.value ->> 'id')::bigint from jsonb_array_elements(handled || adopted) as d
    except select unnest(fresh) order by 1
  );
  if jsonb_array_length(adopted) = 1 and settlements @? '$[0].dead' then
    answer := messenger.settle_dead_delivery(transport, adopted, settlements, fresh, lease_ms);
  elsif adopted <> '[]' then
    perform messenger.adopt(transport, adopted, fresh, lease_ms);
  end if;
  if settlements <> '[]' and answer is null then
    answer := public.messenger_settle(settlements);
    perform messenger.return_to_outbox(transport, adopted, array(
      select unnest(again) intersect select unnest(fresh)
    ));
  end if;
  answer := coalesce(answer, '{"stale": []}');
  if messenger.has_cancels(transport) then
    perform messenger.end_cancels(transport, handled || adopted);
    answer := answer || '{"cancels": true}';
  end if;
  perform messenger.check_deferred('messenger_settle_deliveries');
  return answer || jsonb_build_object('repeated', repeated::text[]);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_deliveries(sqlstate, handled, adopted, settlements);
  raise;
end
$$;
comment on function public.messenger_settle_deliveries(text, jsonb, jsonb, jsonb, integer) is
  'Writes outcomes of an engine''s deliveries in one transaction, each once for a publication, or adopts deliveries as running messages. Returns what messenger_settle returns, "repeated": ids whose publication was settled before, and "cancels": true if any delivery of the transport is or was cancelled.';

-- A dead delivery passes through messenger_messages. Where that is refused, such as by a trigger of the project's own, it
-- becomes a dead letter all the same: its engine would give it out again without end. A worker asks for one alone if it
-- is refused with others. The error of a deferred trigger has to come within the savepoint.
create function messenger.settle_dead_delivery(
  p_transport text, p_adopted jsonb, p_settlements jsonb, p_fresh bigint[], p_lease_ms integer
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
begin
  perform messenger.adopt(p_transport, p_adopted, p_fresh, p_lease_ms);
  answer := public.messenger_settle(p_settlements);
  set constraints all immediate;
  return answer;
exception when others then
  raise warning 'a delivery is a dead letter without a message: %', sqlerrm;
  perform messenger.bury_delivery(p_adopted, p_settlements, p_fresh);
  return '{"stale": []}'::jsonb;
end
$$;
comment on function messenger.settle_dead_delivery(text, jsonb, jsonb, bigint[], integer) is
  'Part of messenger_settle_deliveries: makes a delivery a dead letter. Returns what messenger_settle returns.';

create function messenger.bury_delivery(p_adopted jsonb, p_settlements jsonb, p_fresh bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  ids bigint[]; scheduled_ids bigint[]; reasons text[]; batches text[]; cancelled jsonb;
begin
  with given as (
    select m.*, d.reason, coalesce(d.last_stamps, m.stamps) as last_stamps,
      messenger.append_errors(m.errors, d.last_errors) as all_errors
    from jsonb_to_recordset(p_adopted) as m (
      id bigint, type text, payload jsonb, queue text, priority smallint, created_at timestamptz, retry_count integer,
      attempts integer, group_key text, stamps jsonb, errors jsonb
    )
    join (
      select (e.value ->> 'id')::bigint as id, e.value ->> 'reason' as reason,
        nullif(e.value -> 'stamps', 'null') as last_stamps, e.value -> 'errors' as last_errors
      from jsonb_path_query(p_settlements, '$[*].dead[*]') as e (value)
    ) as d on d.id = m.id
    where m.id = any (p_fresh)
  ),
  buried as (
    insert into public.messenger_failed_messages (
      id, type, payload, queue, priority, reason, error, errors, retry_count, attempts, redriven, group_key, stamps,
      created_at, failed_at
    )
    select messenger.free_id(g.id), g.type, coalesce(g.payload, 'null'), g.queue, g.priority, g.reason,
      g.all_errors -> -1 ->> 'message', g.all_errors, g.retry_count, g.attempts,
      case when g.last_stamps ->> 'redriven' ~ '^[0-9]{1,9}$' then (g.last_stamps ->> 'redriven')::integer else 0 end,
      g.group_key, g.last_stamps, g.created_at, clock
    from given g
    returning id
  )
  select coalesce(array_agg(g.id), '{}'), array_agg(g.id) filter (where g.last_stamps ? 'schedule'),
    array_agg(g.reason) filter (where g.last_stamps ? 'schedule'),
    array_agg(g.last_stamps #>> '{batch,id}') filter (where g.last_stamps ? 'batch'),
    jsonb_agg(jsonb_build_object('id', g.id, 'message', g.last_stamps -> 'onCancelled'))
      filter (where g.reason = 'cancelled' and g.last_stamps ?| '{onCancelled,durable}')
  into ids, scheduled_ids, reasons, batches, cancelled from given g where (select count(*) from buried) > 0;
  perform messenger.refuse_skipped('messenger_failed_messages', cardinality(ids), cardinality(p_fresh));
  perform messenger.end_dead(ids, scheduled_ids, reasons, batches, cancelled);
end
$$;
comment on function messenger.bury_delivery(jsonb, jsonb, bigint[]) is
  'Part of messenger_settle_deliveries: writes the dead letter of a delivery that cannot be a message of home.';

-- A cancel that meets a message which is just written for its next run waits for it, and finds its next publication.
create function messenger.lock_publications(p_transport text, p_publications jsonb, p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if cardinality(p_ids) > 0 then
    perform from messenger.outbox o
    join jsonb_to_recordset(p_publications) as d (id bigint, source_id bigint, publication integer)
      on d.source_id = o.id and d.publication = o.publication
    where d.id = any (p_ids) and o.transport = p_transport
    order by o.position
    for no key update of o;
  end if;
end
$$;
comment on function messenger.lock_publications(text, jsonb, bigint[]) is
  'Part of messenger_settle_deliveries: locks the publications of messages that are to run again.';

create function messenger.end_cancels(p_transport text, p_deliveries jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from messenger.cancelled_deliveries c
  using jsonb_to_recordset(p_deliveries) as d (origin uuid, source_id bigint, publication integer)
  where c.transport = p_transport and d.origin = messenger.installation_id() and c.id = d.source_id
    and c.publication = d.publication;
end
$$;
comment on function messenger.end_cancels(text, jsonb) is
  'Part of messenger_settle_deliveries: forgets the cancels of publications whose outcome is written.';

-- In the order of the key, so that two calls about the same deliveries never wait for each other.
create function messenger.note_deliveries(p_transport text, p_deliveries jsonb) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  fresh bigint[];
begin
  with given as materialized (
    select * from jsonb_to_recordset(p_deliveries) as d (id bigint, origin uuid, source_id bigint, publication integer)
  ),
  noted as (
    insert into messenger.handled_deliveries as known (transport, origin, id, publication, handled_at)
    select distinct on (g.origin, g.source_id, g.publication)
      p_transport, g.origin, g.source_id, g.publication, public.messenger_now()
    from given g order by g.origin, g.source_id, g.publication
    on conflict on constraint handled_deliveries_pkey do nothing
    returning known.origin, known.id, known.publication
  )
  select coalesce(array_agg(f.id), '{}') into fresh
  from (
    select min(g.id) as id from noted n
    join given g on g.origin = n.origin and g.source_id = n.id and g.publication = n.publication
    group by n.origin, n.id, n.publication
  ) as f;
  return fresh;
end
$$;
comment on function messenger.note_deliveries(text, jsonb) is
  'Part of messenger_settle_deliveries: notes publications in the inbox, and returns the ids of those that were not there.';

create function messenger.adopt(p_transport text, p_messages jsonb, p_ids bigint[], p_lease_ms integer) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  own constant uuid := messenger.installation_id();
begin
  with adopted as (
    insert into public.messenger_messages (
      id, type, payload, queue, priority, status, available_at, expires_at, created_at, retry_count, attempts,
      snoozes, interruptions, group_key, stamps, errors, lease_token, leased_until, heartbeated, cancelled
    )
    select m.id, m.type, coalesce(m.payload, 'null'), m.queue, m.priority, 'processing', clock, m.expires_at,
      m.created_at, m.retry_count, m.attempts, m.snoozes, m.interruptions, m.group_key, m.stamps,
      nullif(m.errors, '[]'), m.token, clock + p_lease_ms * interval '1 millisecond', true,
      m.origin = own and messenger.is_marked(p_transport, m.source_id, m.publication)
    from jsonb_to_recordset(p_messages) as m (
      id bigint, origin uuid, source_id bigint, publication integer, token uuid, type text, payload jsonb, queue text, priority smallint, expires_at timestamptz,
      created_at timestamptz, retry_count integer, attempts integer, snoozes integer, interruptions integer,
      group_key text, stamps jsonb, errors jsonb
    )
    where m.id = any (p_ids)
    order by m.id
    returning id, queue, lease_token, leased_until
  )
  insert into messenger.leases as known (token, leased_until, queues, ids, open)
  select a.lease_token, min(a.leased_until), array_agg(distinct a.queue), array_agg(a.id), count(*)
  from adopted a group by a.lease_token
  on conflict on constraint leases_pkey do update
  set ids = known.ids || excluded.ids, open = known.open + excluded.open, queues = known.queues || excluded.queues,
    leased_until = least(known.leased_until, excluded.leased_until);
  if exists (
    select from jsonb_to_recordset(p_messages) as m (id bigint)
    where m.id = any (p_ids) and not exists (select from public.messenger_messages a where a.id = m.id)
  ) then
    perform messenger.refuse_skipped('messenger_messages');
  end if;
end
$$;
comment on function messenger.adopt(text, jsonb, bigint[], integer) is
  'Part of messenger_settle_deliveries: writes deliveries as running messages of home, under their leases. Those that were cancelled are so there too.';

-- A message that is to run again goes through its engine again.
create function messenger.return_to_outbox(p_transport text, p_publications jsonb, p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if cardinality(p_ids) = 0 then
    return;
  end if;
  perform messenger.make_relays(array[p_transport]);
  -- A member of a batch that moves has not ended.
  perform set_config('messenger.settles', 'true', true);
  with moved as (
    delete from public.messenger_messages m
    where m.id = any (p_ids) and m.status = 'pending'
    returning m.*
  )
  insert into messenger.outbox (
    id, publication, transport, shard, type, payload, queue, priority, available_at, expires_at, created_at, group_key,
    retry_count, attempts, snoozes, interruptions, stamps, errors, bytes
  )
  select m.id, d.publication + 1, p_transport, messenger.outbox_shard(m.id, m.queue, m.group_key), m.type, m.payload,
    m.queue, m.priority, m.available_at, m.expires_at, m.created_at, m.group_key, m.retry_count, m.attempts, m.snoozes,
    m.interruptions, m.stamps, m.errors,
    -- A stored value is compressed, and takes its whole size in a relay.
    octet_length(m.payload::text) + coalesce(octet_length(m.stamps::text), 0) + coalesce(octet_length(m.errors::text), 0)
  from moved m
  join jsonb_to_recordset(p_publications) as d (id bigint, publication integer) on d.id = m.id
  order by m.id;
  perform set_config('messenger.settles', '', true);
end
$$;
comment on function messenger.return_to_outbox(text, jsonb, bigint[]) is
  'Moves waiting messages to the outbox, as the publication after the one that is given for each, [{id, publication}].';

-- Dead letters that are redriven follow the routes of today. One that a function in code would route, which SQL cannot
-- call, returns to where it was. One with durable steps, or that is quarantined, stays at home.
create function messenger.redriven_transport(p_type text, p_stamps jsonb) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return messenger.route_of(p_type);
exception when sqlstate 'PT400' then
  return coalesce(
    (select t.name from messenger.transports t where t.name = p_stamps ->> 'transport'), 'home'
  );
end
$$;
comment on function messenger.redriven_transport(text, jsonb) is
  'Part of messenger_redrive: the transport through which a dead letter goes again.';

create function messenger.reroute(p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  moved record;
begin
  if not exists (select from messenger.transports) then
    return;
  end if;
  for moved in
    select r.transport, array_agg(m.id) as ids, jsonb_agg(jsonb_build_object(
      'id', m.id,
      -- Its earlier publications are in the inbox, where the same number would count as handled.
      'publication', greatest(
        (select max(h.publication) from messenger.handled_deliveries h
          where h.transport = r.transport and h.origin = messenger.installation_id() and h.id = m.id),
        (select max(o.publication) from messenger.outbox o where o.id = m.id), 0
      )
    )) as publications
    from public.messenger_messages m
    cross join lateral messenger.redriven_transport(m.type, m.stamps) as r (transport)
    where m.id = any (p_ids) and m.status = 'pending' and not m.quarantined and not coalesce(m.stamps ? 'durable', false)
      and r.transport <> 'home'
      -- Another project tells nothing of a member's end: its batch would wait for it for ever.
      and (
        messenger.batch_of(m.stamps) is null
        or exists (select from messenger.transports t where t.name = r.transport and t.received)
      )
    group by r.transport order by r.transport
  loop
    perform messenger.return_to_outbox(moved.transport, moved.publications, moved.ids);
  end loop;
end
$$;
comment on function messenger.reroute(bigint[]) is
  'Part of messenger_redrive: moves messages that go through another transport to the outbox, as their next publication.';

-- The messages pass through messenger_messages, so that a dead letter of the outbox ends its schedule's run, counts in
-- its batch and dispatches what it has for its cancel, as any other does.
create function messenger.bury_outbox(p_rows jsonb, p_reason text) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  fence constant uuid := gen_random_uuid();
  dead jsonb;
  buried bigint[];
begin
  with given as (
    select * from jsonb_to_recordset(p_rows) as g (position bigint, error text)
  ),
  gone as (
    delete from messenger.outbox o using given g
    where o.position = g.position and o.sent_at is null
    returning o.*, left(g.error, 2000) as error
  ),
  -- One that was cancelled while a relay published it, which failed.
  unmarked as (
    delete from messenger.cancelled_deliveries c using gone g
    where c.transport = g.transport and c.id = g.id and c.publication = g.publication
  ),
  -- A row that was sent before and is to be sent again may be of a message that is at home, or was handled long ago.
  lost as (
    select distinct on (g.id) g.* from gone g
    where not exists (select from public.messenger_messages m where m.id = g.id)
      and not messenger.has_outcome(g.transport, g.id, g.publication)
    order by g.id, g.publication desc
  ),
  moved as (
    insert into public.messenger_messages (
      id, type, payload, queue, priority, status, available_at, expires_at, created_at, retry_count, attempts,
      snoozes, interruptions, group_key, stamps, errors, lease_token, leased_until, heartbeated
    )
    select g.id, g.type, g.payload, g.queue, g.priority, 'processing', g.available_at, g.expires_at, g.created_at,
      g.retry_count, g.attempts, g.snoozes, g.interruptions, g.group_key,
      coalesce(g.stamps, '{}') || jsonb_build_object('transport', g.transport), g.errors, fence, g.available_at, true
    from lost g order by g.id
  )
  select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'id', g.id, 'reason', p_reason, 'errors', case when g.error is not null then jsonb_build_array(jsonb_build_object(
      'message', g.error, 'class', 'TransportError', 'attempt', g.attempts,
      'at', to_jsonb(messenger.clock()), 'durationMs', 0
    )) end
  ))) into dead from lost g;
  if dead is null then
    return '{}'::bigint[];
  end if;
  buried := messenger.settle_token(jsonb_build_object('token', fence, 'dead', dead), fence);
  perform messenger.refuse_skipped('messenger_messages', cardinality(buried), jsonb_array_length(dead));
  return buried;
end
$$;
comment on function messenger.bury_outbox(jsonb, text) is
  'Moves messages that wait in the outbox to the dead letters, with a reason and their errors: [{position, error?}]. Returns their ids.';
