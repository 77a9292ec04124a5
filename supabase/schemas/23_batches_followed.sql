-- Following: the state of batches, as operators and the users who dispatched them see it.

create function messenger.batch_state(p_batch public.messenger_batches) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  handled bigint;
  failed bigint;
begin
  -- A look sees what was settled, also before it is folded.
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
    order by b.id desc limit case when messenger_list_batches.name is null then max_batches else 2000 end
  ),
  found as materialized (
    select p.id from page p
    where messenger_list_batches.name is null or p.name = messenger_list_batches.name
    order by p.id desc limit max_batches
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
