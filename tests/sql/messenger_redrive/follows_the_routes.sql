-- A redriven dead letter goes through the transport of its type, as the next publication.
begin;
select plan(6);
select messenger_declare_routing('{"events": true}', '{"T": "events", "Function*": null}');
select test.dead_letter('T'), test.dead_letter('Home'), test.dead_letter('Steps', stamps => '{"durable":{"version":null}}'),
  test.dead_letter('T', reason => 'crashed');
select test.dead_letter('Function1', stamps => '{"transport":"events"}'), test.dead_letter('Function2', stamps => '{"transport":"gone"}');
insert into messenger.handled_deliveries
select 'events', messenger.installation_id(), f.id, 3, now() from messenger_failed_messages f where f.type = 'T';
select is((messenger_redrive("all" => true) -> 'done')::int, 6, 'all are redriven');
select results_eq(
  $$select type, publication, (stamps -> 'redriven')::int from messenger.outbox order by type$$,
  $$values ('Function1', 1, 1), ('T', 4, 1)$$, 'routed ones wait in the outbox, one that a function routes where it was'
);
select results_eq(
  'select type from messenger_messages order by type', $$values ('Function2'), ('Home'), ('Steps'), ('T')$$,
  'home has its own, those with steps, and one that is to run alone'
);
select is((select count(*)::int from messenger_failed_messages), 0, 'no dead letter is left');
select is((select error from messenger_failed_messages limit 1), null, 'nor its error');
select is((select errors #>> '{0,message}' from messenger.outbox where type = 'T'), 'no route', 'the history goes along');
select * from finish();
rollback;
