-- A trigger of the project's own that refuses one message keeps back no other.
begin;
select plan(2);

select messenger_enqueue('[{"type": "A"}, {"type": "Refused"}, {"type": "B"}]');
select messenger_claim(gen_random_uuid());
update messenger_messages set leased_until = now() - interval '1 minute';
delete from messenger.leases;
create function pg_temp.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'no';
end
$$;
create trigger refuse before update on messenger_messages
  for each row when (new.type = 'Refused') execute function pg_temp.refuse();
select messenger.settle_unleased();
select is(
  (select string_agg(type, ' ' order by type) from messenger_messages where status = 'pending'), 'A B',
  'the others wait to run again'
);
select is(
  (select type from messenger_messages where status = 'processing'), 'Refused', 'the one that refuses it stays as it is'
);

select * from finish();
rollback;
