begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('no_tick', '{"cooldown_ms":1800000}');

insert into messenger_ticks (started_at) values ('2026-01-01 11:00Z');
select is(test.checked_alert(), 'firing', 'it fires');
select test.answer_alert(204);
select test.set_clock('2026-01-01 12:29Z');
select is(test.checked_alert(), 'firing', 'and still does');
select is(test.told_alerts(), '{firing delivered}', 'within the cooldown it is not told again');
select test.set_clock('2026-01-01 12:30Z');
select is(test.checked_alert(), 'firing', 'the cooldown has passed');
select is(test.told_alerts(), '{firing delivered,firing sent}', 'and it is told again');
select test.answer_alert(204);

insert into messenger_ticks (started_at) values ('2026-01-01 12:35Z');
select test.set_clock('2026-01-01 12:35Z');
select is(test.checked_alert(), 'cooling_down', 'it is over');
select test.answer_alert(204);
select test.set_clock('2026-01-01 12:50Z');
select is(test.checked_alert(), 'cooling_down', 'it would fire again');
select is(test.told_alerts(), '{firing delivered,firing delivered,resolved delivered}', 'which is not told');
select test.set_clock('2026-01-01 13:05Z');
select is(test.checked_alert(), 'firing', 'and it fires when the cooldown has passed');
select is(
  test.told_alerts(), '{firing delivered,firing delivered,resolved delivered,firing sent}', 'and is told then'
);

select * from finish();
rollback;
