begin;
select plan(2);

prepare none as select messenger_schedule_interval('A', '{}', every => null);
select throws_ok('none', 'PT400', 'every: has to be at least 1 second; got null');
prepare short as select messenger_schedule_interval('A', '{}', every => '999 ms');
select throws_ok('short', 'PT400', 'every: has to be at least 1 second; got 00:00:00.999');

select * from finish();
rollback;
