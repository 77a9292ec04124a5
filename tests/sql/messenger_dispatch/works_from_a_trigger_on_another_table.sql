-- A signed-in user inserts; the trigger's function, which is the owner's, dispatches.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

set local role postgres;
create table public.orders (id bigint generated always as identity primary key, email text);
grant insert on public.orders to authenticated;
create function public.announce_order() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform public.messenger_dispatch('OrderPlaced', jsonb_build_object('to', new.email));
  return null;
end
$$;
create trigger announce_order after insert on public.orders
  for each row execute function public.announce_order();

set local role authenticated;
insert into public.orders (email) values ('a@b.c'), ('d@e.f');
reset role;

select results_eq(
  $$select type, payload ->> 'to' from messenger_messages order by id$$,
  $$values ('OrderPlaced', 'a@b.c'), ('OrderPlaced', 'd@e.f')$$,
  'each row dispatches its message'
);
set local role authenticated;
savepoint before;
insert into public.orders (email) values ('undone@e.f');
rollback to savepoint before;
reset role;
select is(
  (select count(*) from messenger_messages), 2::bigint, 'a row that is rolled back dispatches none'
);

select * from finish();
rollback;
