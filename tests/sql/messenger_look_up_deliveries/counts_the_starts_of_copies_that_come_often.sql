-- A copy is counted each time that a worker takes it, if the caller says that it has come often, and only until it is
-- handled.
begin;
select plan(6);
create function pg_temp.look(p_id integer, p_counted boolean) returns jsonb language sql as $$
  select messenger_look_up_deliveries('events', jsonb_build_array(jsonb_build_object(
    'origin', messenger.installation_id(), 'source_id', p_id, 'publication', 1, 'counted', p_counted
  ))) #> '{deliveries,0}'
$$;
select is(pg_temp.look(1, false), '{"handled": false, "starts": 0}', 'others are not counted');
select is((select count(*)::int from messenger.delivery_starts), 0, 'and cost no row');
select is(pg_temp.look(1, true), '{"handled": false, "starts": 1}', 'the first start');
select is(pg_temp.look(1, true), '{"handled": false, "starts": 2}', 'the second');
insert into messenger.handled_deliveries values ('events', messenger.installation_id(), 1, 1, now());
select is(pg_temp.look(1, true), '{"handled": true, "starts": 0}', 'none once it is handled');
update messenger.delivery_starts set started_at = now() - interval '25 hours' where true;
select is(messenger.prune_deliveries(10, false), 1, 'the count is forgotten with the inbox');
select * from finish();
rollback;
