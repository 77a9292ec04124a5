begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters');
insert into messenger_alert_deliveries (alert, channel, event, body)
values ('other', 'ops', 'firing', '{"data":[]}');
select test.dead_letter('A');

select is(test.checked_alert(), 'firing', 'the alert fires all the same');
select results_eq(
  'select alert, status, attempts from messenger_alert_deliveries order by id',
  $$values ('other', 'pending', 1), ('mine', 'sent', 1)$$, 'and is told'
);
select isnt(
  (select error from messenger_alert_deliveries where alert = 'other'), null, 'the malformed delivery has the fault'
);
select throws_ok(
  $$insert into messenger_alert_deliveries (alert, channel, event, body) values ('other', 'ops', 'firing', '1')$$,
  '23514', null, 'a body is an object'
);

select * from finish();
rollback;
