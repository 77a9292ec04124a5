begin;
select plan(2);
select test.dead_letter('Report', 'reports/acme') from generate_series(1, 3);
select test.dead_letter('Mail', 'mail');
select test.alert('dead_letters', '{"queue":"reports"}');
select is(test.measured() -> 0, '3', 'of any type');
update messenger_alerts set type = 'Report' where true;
select is(test.measured() -> 0, '3', 'of one type');

select * from finish();
rollback;
