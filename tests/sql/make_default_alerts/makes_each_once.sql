begin;
select plan(6);

select is(
  (select array_agg(name order by name) from messenger_alerts),
  '{dead-letters,long-step,no-tick,oldest-ready,queue-limited,retry-rate,schedule-failing,schedule-overdue,ticks-not-started,webhook-disabled}',
  'the installation made one of each rule'
);
select lives_ok('select messenger.check_alert(a) from messenger_alerts a', 'whose settings their rules take');
select messenger_set_alert('no-tick', '{"threshold":600000}');
select messenger_delete_alert('retry-rate');
select is(messenger_setup() -> 'alerts', '[]', 'a later setup makes none');
select is((select threshold from messenger_alerts where name = 'no-tick'), 600000::double precision, 'keeps changes');
select is((select count(*) from messenger_alerts where name = 'retry-rate'), 0::bigint, 'and what is deleted stays so');

delete from messenger.default_alerts_made where true;
delete from messenger_alerts where name <> 'no-tick';
select is(
  messenger_setup() -> 'alerts',
  '["dead-letters","long-step","oldest-ready","queue-limited","retry-rate","schedule-failing","schedule-overdue","ticks-not-started","webhook-disabled"]',
  'a schema without rows gets them; a user''s alert of such a name stays'
);

select * from finish();
rollback;
