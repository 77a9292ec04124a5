-- A deploy that declares less leaves nothing of the one before; a tick gets what is declared, functions included.
begin;
select plan(5);

select is(messenger.declared_routing(), '{}', 'at first nothing is declared');
select messenger_declare_routing('{"eu": false, "us": false}', '{"Audit*": "eu", "Mail": "us", "Sent": null}');
select is(
  messenger_start_tick() -> 'routing',
  '{"transports": {"eu": false, "us": false}, "routes": {"Audit*": "eu", "Mail": "us", "Sent": null}}',
  'a tick gets all of it'
);
select messenger_declare_routing('{"eu": true}', '{"Audit*": "home"}');
select is(
  messenger.declared_routing() -> 'routing', '{"transports": {"eu": true}, "routes": {"Audit*": "home"}}',
  'the later declaration holds, and nothing else'
);
select throws_ok(
  $$select messenger_declare_routing('{"home": true}', '{}')$$, 'PT400',
  'transports: ''home'' is no name of 1 to 100 letters, digits or _ . : -, other than home', 'home is no transport of a project'
);
select messenger_declare_routing('{}', '{}');
select ok(not messenger_start_tick() ? 'routing', 'a project without transports has none again');

select * from finish();
rollback;
