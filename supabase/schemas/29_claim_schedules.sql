-- Claiming schedules: the due ones are locked, leased and handed out as one jsonb, for the tick to
-- compute their next runs. Claims of many sessions are disjoint (SKIP LOCKED); each has its token.

create table if not exists messenger.schedule_declarations (
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

-- What a tick waits for. A due schedule that another tick holds counts from the end of its lease; those
-- held under `token` are the caller's own, who knows when they come next.
create or replace function public.messenger_next_schedule_at(token uuid default null) returns timestamptz
-- Not in SQL, which would be planned again by each call.
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
            and (s.leased_until is null or s.leased_until <= public.messenger_now())
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

-- With `until`, only those due by then: a run of several batches ends with what was due at its start.
-- `fingerprint` is that of the caller's declarations, given once by each process. A call whose answer
-- was lost is repeated with the same token and `repeated`, and gives the same schedules. With `payloads`
-- each comes with its payload and stamps: no more of them than 4 MiB, but one at least; `more` says that
-- others were left for it.
create or replace function public.messenger_claim_schedules(
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
  clock constant timestamptz := public.messenger_now();
  max_bytes constant integer := 4194304;
  locked bigint[] := array[]::bigint[];
  taken bigint[];
  answer jsonb;
begin
  if token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if max_schedules is null or max_schedules not between 1 and 1000 then
    raise sqlstate 'PT400' using message = 'max_schedules: has to be from 1 to 1000';
  end if;
  if lease_ms is null or lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;

  if repeated then
    locked := array(
      select s.id from public.messenger_schedules s
      where s.enabled and s.lease_token = token
      for update
    );
  end if;
  if cardinality(locked) = 0 then
    locked := array(
      select s.id from public.messenger_schedules s
      where s.enabled and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= least(clock, until)
        and (s.leased_until is null or s.leased_until <= clock)
      order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
      limit max_schedules
      for update skip locked
    );
  end if;

  taken := locked;
  if payloads then
    taken := array(
      select sized.id
      from (
        select s.id, sum(octet_length(s.payload::text)) over (
          order by s.next_run_at nulls first, s.id rows between unbounded preceding and 1 preceding
        ) as bytes_before
        from public.messenger_schedules s where s.id = any (locked)
      ) as sized
      where sized.bytes_before is null or sized.bytes_before < max_bytes
    );
  end if;
  with leased as (
    update public.messenger_schedules s
    set lease_token = token, leased_until = clock + lease_ms * interval '1 millisecond'
    where s.id = any (taken)
    returning s.*
  )
  select jsonb_build_object(
    'schedules', coalesce(
      jsonb_agg(
        to_jsonb(l) - '{lease_token,leased_until}'::text[]
          - case when not payloads then '{payload,stamps}'::text[] else '{}' end
          || jsonb_build_object('id', l.id::text)
        order by l.next_run_at nulls first, l.id
      ),
      '[]'
    ),
    'now', clock
  )
  into answer from leased l;

  return answer || jsonb_build_object(
    'more', cardinality(taken) < cardinality(locked),
    'next_at', public.messenger_next_schedule_at(token),
    'declarations_changed', fingerprint is not null and not exists (
      select from messenger.schedule_declarations d
      where d.fingerprint = messenger_claim_schedules.fingerprint
    )
  );
end
$$;
comment on function public.messenger_claim_schedules(
  uuid, integer, integer, timestamptz, text, boolean, boolean
) is
  'Leases due schedules and answers them as one jsonb: schedules, now, more, next_at (when the next one can be claimed), declarations_changed.';
