-- As in code: the exact type, then the longest pattern, then home. Signs of LIKE in a pattern mean themselves.
begin;
select plan(7);
select messenger_declare_routing(
  '{"events": true, "eu": false}',
  '{"Audit*": "events", "AuditLog*": "eu", "AuditLogin": "home", "A_b*": "eu", "*%": "eu", "Sent": null}'
);

select is(messenger.route_of('AuditLogin'), 'home', 'the exact type wins');
select is(messenger.route_of('AuditLogout'), 'eu', 'then the longest pattern');
select is(messenger.route_of('AuditEntry'), 'events', 'and then the others');
select is(messenger.route_of('Mail'), 'home', 'a type without a route stays home');
select is(messenger.route_of('Axbc'), 'home', 'an underscore is no wildcard');
select is(messenger.route_of('Mail%'), 'eu', 'nor is a percent sign');
select throws_ok(
  $$select messenger.route_of('Sent')$$, 'PT400',
  'transport: a function in code routes Sent, which SQL cannot call; name the transport', 'a function is not guessed'
);

select * from finish();
rollback;
