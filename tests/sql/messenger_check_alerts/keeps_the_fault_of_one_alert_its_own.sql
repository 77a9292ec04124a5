begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters');
update messenger_alerts set state = 'firing', since = '2026-01-01 11:00Z' where name = 'mine';
insert into messenger_alerts (name, rule, threshold, queue) values ('bad', 'no_tick', 1000, 'mail');
create or replace function messenger.measure_dead_letters(
  p_alert messenger_alerts, out value double precision, out subject text
) language plpgsql as $$ begin raise exception 'no luck'; end $$;
select messenger_create_alert('good', 'ticks_not_started');

select is(messenger_check_alerts(), '{"checked":3,"skipped":false}', 'all are checked');
select results_eq(
  'select name, state, error, checked_at from messenger_alerts order by name',
  $$values
    ('bad', 'resolved', 'queue: the rule no_tick does not take it', messenger_now()),
    ('good', 'resolved', null, messenger_now()),
    ('mine', 'firing', 'no luck', messenger_now())$$, 'a fault is written on its alert, whose state stays'
);
select is(messenger_health() -> 'alerts', '{"channels":[],"alerts":["bad","mine"]}', 'and seen in health');
delete from messenger_alerts where name = 'mine';
update messenger_alerts set queue = null where name = 'bad';
select messenger_check_alerts();
select is((select error from messenger_alerts where name = 'bad'), null, 'until it can be checked');
select is(messenger_health() -> 'alerts', '{"channels":[],"alerts":[]}', 'and health is well');

select * from finish();
rollback;
