-- The version of the schema. A release is known by this function's body, which survives a squash of the
-- migrations, a pull and a dump. `deno task release` writes it.

create function public.messenger_version() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select '0.2.0'::text $$;
comment on function public.messenger_version() is
  'The version of the schema, as of the release whose migration was applied last.';
