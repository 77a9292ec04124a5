-- The one clock of the bus. The database's time decides whether a message is due, leased or expired,
-- never a worker's time. Tests replace this function with a clock of their own.

create function public.messenger_now() returns timestamptz
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable parallel safe
set search_path = ''
as $$
begin
  return pg_catalog.now();
end
$$;

comment on function public.messenger_now() is
  'The clock of the bus: the start of the current transaction. Everything that is due, leased or expired is judged by it.';
