-- A batch counts what is handled here: a member that fails keeps to home when its type goes to another project meanwhile.
begin;
select plan(2);
select messenger_declare_routing('{"events": true, "eu": false}', '{"Away": "eu", "Here": "events"}');
select test.dead_letter(t, stamps => s::jsonb) from (values
  ('Away', '{"batch":{"id":"1","nth":1}}'), ('Away', '{}'), ('Here', '{"batch":{"id":"1","nth":2}}')
) as d (t, s);
select messenger_redrive("all" => true);
select results_eq(
  $$select type, transport, stamps ? 'batch' from messenger.outbox order by type$$,
  $$values ('Away', 'eu', false), ('Here', 'events', true)$$, 'a broker has its member, and another project what is none'
);
select results_eq(
  $$select type, stamps ? 'batch' from messenger_messages$$, $$values ('Away', true)$$, 'the member is at home'
);
select * from finish();
rollback;
