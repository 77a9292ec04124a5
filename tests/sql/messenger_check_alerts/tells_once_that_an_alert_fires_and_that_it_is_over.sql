begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters', '{"threshold":2}');

select test.dead_letter('A');
select is(test.checked_alert(), 'resolved', 'below the threshold');
select test.dead_letter('A');
select is(test.checked_alert(), 'firing', 'at the threshold');
select is(test.checked_alert(), 'firing', 'at the next check');
select is(test.told_alerts(), '{firing sent}', 'it was told once');
select results_eq(
  $$select value, subject, since, told_at, checked_at from messenger_alerts where name = 'mine'$$,
  $$values (2::double precision, 'A', messenger_now(), messenger_now(), messenger_now())$$, 'with its value'
);
select test.answer_alert(200);
select test.set_clock('2026-01-01 12:59:59Z');
select is(test.checked_alert(), 'firing', 'a dead letter is still in the window');
select test.set_clock('2026-01-01 13:00Z');
select is(test.checked_alert(), 'cooling_down', 'it is over');
select is(test.told_alerts(), '{firing delivered,resolved sent}', 'which is told');
select test.set_clock('2026-01-01 14:00Z');
select is(test.checked_alert(), 'resolved', 'after the cooldown');

select * from finish();
rollback;
