-- The secrets that sign webhooks. They are in Vault, under names that begin with webhook_, so that no payload of a
-- message can name another secret of the project.

-- Runs with its owner's rights: the service role may not read Vault in every project. It returns secrets of webhooks
-- only, and only the service role may call it.
create function public.messenger_webhook_secrets(names text[]) returns jsonb
language plpgsql stable
security definer
set search_path = ''
as $$
begin
  if names is null or cardinality(names) > 10 then
    raise sqlstate 'PT400' using message = 'names: has to be a list of at most 10 names';
  end if;
  if exists (select from unnest(names) as n where n is null or n !~ '^webhook_.') then
    raise sqlstate 'PT400' using message = 'names: each has to begin with webhook_';
  end if;
  return (
    select coalesce(jsonb_object_agg(s.name, s.decrypted_secret), '{}')
    from vault.decrypted_secrets s
    where s.name = any (names) and s.decrypted_secret <> ''
  );
end
$$;
comment on function public.messenger_webhook_secrets(text[]) is
  'Secrets of webhooks in Vault, by their names: {"webhook_...": "whsec_..."}, without names that Vault lacks. At most 10 names, each of which has to begin with webhook_.';
