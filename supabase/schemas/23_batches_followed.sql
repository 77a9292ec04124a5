-- Following: the state of batches, as operators and the users who dispatched them see it.

create function messenger.batch_state(p_batch public.messenger_batches) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  handled bigint;
  failed bigint;
begin
  -- A read sees what was settled, also before it is folded.
  select p_batch.handled + coalesce(sum(d.handled), 0), p_batch.failed + coalesce(sum(d.dead - d.redriven), 0)
  into handled, failed
  from messenger.batch_deltas d where d.batch_id = p_batch.id;
  return jsonb_build_object(
    'kind', 'batch', 'id', p_batch.id::text, 'name', p_batch.name,
    'status', case
      when p_batch.sealed_at is null then 'open'
      when handled + failed < p_batch.total then case when p_batch.cancelled_at is null then 'running' else 'cancelling' end
      when p_batch.cancelled_at is not null and failed > 0 then 'cancelled'
      when failed > 0 then 'failed'
      else 'handled'
    end,
    'types', to_jsonb(p_batch.types), 'total', p_batch.total, 'handled', handled, 'failed', failed,
    'pending', greatest(p_batch.total - handled - failed, 0),
    'createdAt', p_batch.created_at, 'sealedAt', p_batch.sealed_at, 'failedAt', p_batch.failed_at,
    'finishedAt', p_batch.finished_at, 'succeededAt', p_batch.succeeded_at, 'cancelledAt', p_batch.cancelled_at
  );
end
$$;
comment on function messenger.batch_state(public.messenger_batches) is
  'The state of a batch: {"kind", "id", "name", "status", "types", "total", "handled", "failed", "pending", "createdAt", "sealedAt", "failedAt", "finishedAt", "succeededAt", "cancelledAt"}. Status is open, running, cancelling, handled, failed or cancelled.';

create function public.messenger_follow_batch(id bigint, user_id text default null) returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.batch_state(b) from public.messenger_batches b
  where b.id = messenger_follow_batch.id
    and (messenger_follow_batch.user_id is null or b.user_id = messenger_follow_batch.user_id)
$$;
comment on function public.messenger_follow_batch(bigint, text) is
  'The state of a batch: {"kind", "id", "name", "status", "types", "total", "handled", "failed", "pending", "createdAt", "sealedAt", "failedAt", "finishedAt", "succeededAt", "cancelledAt"}. With a user_id only of that user''s. Null alike for an id that is unknown, pruned, or another user''s.';

create function public.messenger_list_batches(
  name text default null, before_id bigint default null, max_batches integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with page as materialized (
    select b.id, b.name from public.messenger_batches b
    where b.id < coalesce(before_id, 9223372036854775807)
    order by b.id desc limit case when messenger_list_batches.name is null then messenger.page_size(max_batches, 'max_batches') else 2000 end
  ),
  found as materialized (
    select p.id from page p
    where messenger_list_batches.name is null or p.name = messenger_list_batches.name
    order by p.id desc limit messenger.page_size(max_batches, 'max_batches')
  )
  select jsonb_build_object(
    'batches', (
      select coalesce(jsonb_agg(messenger.batch_state(b) order by b.id desc), '[]')
      from public.messenger_batches b where b.id in (select f.id from found f)
    ),
    'next', case
      when (select count(*) from found) = max_batches then (select min(f.id) from found f)::text
      when messenger_list_batches.name is not null and (select count(*) from page) = 2000
        then (select min(p.id) from page p)::text
    end
  )
$$;
comment on function public.messenger_list_batches(text, bigint, integer) is
  'Batches, the latest first, those before an id, all or those of a name. Returns {"batches", "next"}, the batches as messenger_follow_batch returns them. A page may be short; next is the id behind which the next page begins.';

-- The user is compared to an array of one element, as in messenger_list_user_messages: so the planner reads the index
-- of the user's batches, and not the primary key past those of all others.
create function public.messenger_list_user_batches(
  user_id text, before_id bigint default null, max_batches integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with page as materialized (
    select b.id, row_number() over (order by b.user_id desc, b.id desc) as nth
    from public.messenger_batches b
    where b.user_id = any (array[messenger_list_user_batches.user_id])
      and b.id < coalesce(before_id, 9223372036854775807)
    order by b.user_id desc, b.id desc
    limit messenger.page_size(max_batches, 'max_batches') + 1
  )
  select jsonb_build_object(
    'batches', (
      select coalesce(jsonb_agg(messenger.batch_state(b) order by b.id desc), '[]')
      from public.messenger_batches b where b.id in (select p.id from page p where p.nth <= max_batches)
    ),
    'next', case
      when (select count(*) from page) > max_batches
        then (select min(p.id) from page p where p.nth <= max_batches)::text
    end
  )
$$;
comment on function public.messenger_list_user_batches(text, bigint, integer) is
  'Batches that a user dispatched, the latest first, those before an id. Returns {"batches", "next"}, the batches as messenger_follow_batch returns them; next is the id behind which the next page begins.';

-- `results` are those of the first chunk, as ctx.all writes it. Together they have at most a mebibyte: larger ones fit
-- into no step.
create function public.messenger_batch_results(id bigint) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  batch public.messenger_batches;
  results jsonb;
begin
  select * into batch from public.messenger_batches b where b.id = messenger_batch_results.id;
  -- A finished batch has pending members again once dead letters of it were redriven. Those of another transport are in
  -- no table while their engine has them, so that the counts tell.
  if batch.id is null or batch.finished_at is null or messenger.batch_state(batch) -> 'pending' <> '0' then
    return jsonb_build_object('known', batch.id is not null, 'finished', false);
  end if;
  if (
    select sum(octet_length(h.result::text)) from messenger.batch_chunks c
    join public.messenger_handled_messages h on h.id = any (c.ids)
    where c.batch_id = batch.id and c.chunk = 1
  ) > 1572864 then
    raise sqlstate 'PT413' using message = 'results: have more than 1048576 bytes together';
  end if;
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', m.id::text,
    'status', case
      when f.id is not null then case f.reason when 'cancelled' then 'cancelled' else 'failed' end
      when h.id is not null then 'handled' else 'missing'
    end,
    'result', h.result, 'reason', f.reason, 'error', left(f.error, 1000)
  ) order by m.nth), '[]')
  into results
  from messenger.batch_chunks c
  cross join lateral unnest(c.ids) with ordinality as m (id, nth)
  left join public.messenger_handled_messages h on h.id = m.id
  left join public.messenger_failed_messages f on f.id = m.id
  where c.batch_id = batch.id and c.chunk = 1;
  return jsonb_build_object('known', true, 'finished', true, 'results', results);
end
$$;
comment on function public.messenger_batch_results(bigint) is
  'Fates of the members of a batch of one chunk in which none is pending, in order: {"known", "finished", "results": [{"id", "status", "result", "reason", "error"}]}. Status is handled, failed, cancelled, or missing for one that is no longer known.';
