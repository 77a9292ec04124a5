begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters');

create function pg_temp.status_after(code integer) returns text language plpgsql as $$
begin
  delete from messenger_alert_deliveries where true;
  insert into messenger_alert_deliveries (channel, event, body) values ('ops', 'firing', messenger.alert_body('firing', '{}'));
  perform messenger.send_alert_deliveries();
  perform test.answer_alert(code);
  perform messenger.send_alert_deliveries();
  return (select d.status from messenger_alert_deliveries d);
end $$;
select is(pg_temp.status_after(code), status, format('HTTP %s', code))
from (values
  (204, 'delivered'), (302, 'failed'), (400, 'failed'), (404, 'failed'), (408, 'pending'), (425, 'pending'), (500, 'pending')
) as v (code, status);

select * from finish();
rollback;
