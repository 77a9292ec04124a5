-- Claiming schedules: the due ones are locked, leased and handed out as one jsonb, for the tick to
-- compute their next runs. Claims of many sessions are disjoint (SKIP LOCKED); each has its token.

create table messenger.schedule_declarations (
  singleton boolean primary key default true check (singleton),
  fingerprint text not null,
  synced_at timestamptz not null default public.messenger_now()
);

comment on table messenger.schedule_declarations is
  'Which declarations the schedules were last synced with, in one row.';
comment on column messenger.schedule_declarations.singleton is
  'Always true: the table has one row.';
comment on column messenger.schedule_declarations.fingerprint is
  'Hash of the declarations; a tick with others syncs.';
comment on column messenger.schedule_declarations.synced_at is
  'When the schedules were last synced.';

alter table messenger.schedule_declarations enable row level security;

-- A tick waits until this time. A due schedule that another tick holds counts from the end of its lease. The
-- schedules that are held under `token` are the caller's own, and the caller knows when they come next.
create function public.messenger_next_schedule_at(token uuid default null) returns timestamptz
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select least(
      coalesce(
        (
          select public.messenger_now() from public.messenger_schedules s
          where s.enabled
            and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= public.messenger_now()
            and (
              s.leased_until is null or s.leased_until <= public.messenger_now()
              or s.leased_until > public.messenger_now() + messenger.longest_lease()
            )
          order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
          limit 1
        ),
        (
          select min(held.leased_until)
          from (
            select s.leased_until from public.messenger_schedules s
            where s.enabled
              and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= public.messenger_now()
              and s.lease_token is distinct from messenger_next_schedule_at.token
            order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
            limit 100
          ) as held
        )
      ),
      (
        select s.next_run_at from public.messenger_schedules s
        where s.enabled
          and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') > public.messenger_now()
        order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
        limit 1
      )
    )
  );
end
$$;
comment on function public.messenger_next_schedule_at(uuid) is
  'When the next enabled schedule can be claimed: now where one is due already, null where none will be. Leaves out those held under a token.';

create function messenger.check_schedule_claim(
  p_token uuid, p_max_schedules integer, p_lease_ms integer
) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if p_max_schedules is null or p_max_schedules not between 1 and 1000 then
    raise sqlstate 'PT400' using message = 'max_schedules: has to be from 1 to 1000';
  end if;
  if p_lease_ms is null or p_lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;
end
$$;
comment on function messenger.check_schedule_claim(uuid, integer, integer) is
  'Part of messenger_claim_schedules: refuses arguments, naming them, PT400.';

create function messenger.lock_leased_schedules(p_token uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select s.id from public.messenger_schedules s
    where s.enabled and s.lease_token = p_token
    for update
  );
end
$$;
comment on function messenger.lock_leased_schedules(uuid) is
  'Part of messenger_claim_schedules: locks the schedules that a call with this token has leased already, and returns their ids.';

-- A schedule with a thousand missed runs stays the first through as many claims. Of more schedules than a claim takes,
-- a quarter are therefore those that fell due last: they wait for no missed run of others.
create function messenger.lock_due_schedules(p_until timestamptz, p_max_schedules integer)
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  first_due bigint[];
  last_due bigint[];
begin
  first_due := array(
    select s.id from public.messenger_schedules s
    where s.enabled
      and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= least(clock, p_until)
      and (
        s.leased_until is null or s.leased_until <= clock
        or s.leased_until > clock + messenger.longest_lease()
      )
    order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
    limit p_max_schedules
    for update skip locked
  );
  if cardinality(first_due) < p_max_schedules or p_max_schedules < 4 then
    return first_due;
  end if;
  last_due := array(
    select s.id from public.messenger_schedules s
    where s.enabled
      and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= least(clock, p_until)
      and (
        s.leased_until is null or s.leased_until <= clock
        or s.leased_until > clock + messenger.longest_lease()
      )
    order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') desc, s.id desc
    limit p_max_schedules / 4
    for update skip locked
  );
  return last_due || array(
    select f.id from unnest(first_due) with ordinality as f (id, nth)
    where f.id <> all (last_due)
    order by f.nth limit p_max_schedules - cardinality(last_due)
  );
end
$$;
comment on function messenger.lock_due_schedules(timestamptz, integer) is
  'Part of messenger_claim_schedules: locks schedules that are due now, and by p_until if it is given, and returns their ids: the first due, and a quarter the last due where there are more. Leaves out those that another claim has locked or leased.';

-- A payload counts with the bytes of its text, which the claim returns.
create function messenger.fitting_schedules(p_ids bigint[], p_max_bytes integer)
returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select sized.id
    from (
      select p.id, sum(p.bytes) over (
        order by p.place <> 1, p.place desc rows between unbounded preceding and 1 preceding
      ) as bytes_before
      from (
        select s.id, octet_length(s.payload::text) as bytes, row_number() over (
          order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
        ) as place
        from public.messenger_schedules s where s.id = any (p_ids)
      ) as p
    ) as sized
    where sized.bytes_before is null or sized.bytes_before < p_max_bytes
  );
end
$$;
comment on function messenger.fitting_schedules(bigint[], integer) is
  'Part of messenger_claim_schedules: the schedule that fell due first and those that fell due last, until their payloads together reach p_max_bytes; at least one.';

create function messenger.lease_schedules(
  p_token uuid, p_ids bigint[], p_lease_ms integer, p_payloads boolean
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  hidden constant text[] := '{lease_token,leased_until}'::text[]
    || case when not p_payloads then '{payload,stamps}'::text[] else '{}' end;
  leased jsonb;
begin
  with changed as (
    update public.messenger_schedules s
    set lease_token = p_token,
      leased_until = public.messenger_now() + p_lease_ms * interval '1 millisecond'
    where s.id = any (p_ids)
    returning s.*
  )
  select jsonb_agg(
    to_jsonb(c) - hidden || jsonb_build_object('id', c.id::text)
    order by c.next_run_at nulls first, c.id
  )
  into leased from changed c;
  return coalesce(leased, '[]');
end
$$;
comment on function messenger.lease_schedules(uuid, bigint[], integer, boolean) is
  'Part of messenger_claim_schedules: leases locked schedules, and returns them by their next runs, without payloads and stamps unless p_payloads.';

create function messenger.declarations_changed(p_fingerprint text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return p_fingerprint is not null and not exists (
    select from messenger.schedule_declarations d where d.fingerprint = p_fingerprint
  );
end
$$;
comment on function messenger.declarations_changed(text) is
  'Part of messenger_claim_schedules: whether the schedules were last synced with other declarations than these. False without a fingerprint.';

-- With `until`, the call takes only the schedules that are due by then: a run of several batches ends with
-- what was due at its start. Each process gives the `fingerprint` of its declarations once. A caller that
-- lost the result calls again with the same token and `repeated`, and gets the same schedules. With
-- `payloads` each schedule comes with its payload and stamps. A call then ends with the schedule whose
-- payload reaches 4 MiB; `more` says that others were left out for that reason.
create function public.messenger_claim_schedules(
  token uuid,
  max_schedules integer default 100,
  lease_ms integer default 30000,
  until timestamptz default null,
  fingerprint text default null,
  repeated boolean default false,
  payloads boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  max_bytes constant integer := 4194304;
  locked bigint[] := array[]::bigint[];
  fitting bigint[];
  leased jsonb;
  fault_detail text;
begin
  perform messenger.check_schedule_claim(token, max_schedules, lease_ms);
  if repeated then
    locked := messenger.lock_leased_schedules(token);
  end if;
  if cardinality(locked) = 0 then
    locked := messenger.lock_due_schedules(until, max_schedules);
  end if;
  fitting := case when payloads then messenger.fitting_schedules(locked, max_bytes) else locked end;
  leased := messenger.lease_schedules(token, fitting, lease_ms, payloads);

  -- Not in one statement with the leases: next_at would not see them yet.
  perform messenger.check_deferred('messenger_claim_schedules');
  return jsonb_build_object(
    'schedules', leased,
    'now', public.messenger_now(),
    'more', cardinality(fitting) < cardinality(locked),
    'next_at', public.messenger_next_schedule_at(token),
    'declarations_changed', messenger.declarations_changed(fingerprint)
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_claim_schedules(
  uuid, integer, integer, timestamptz, text, boolean, boolean
) is
  'Leases due schedules and returns them as one jsonb: schedules, now, more, next_at (when the next one can be claimed), declarations_changed.';
