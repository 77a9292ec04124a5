begin;
select plan(2);
select is(messenger.capped(10, 10), '{"count":10,"capped":false}', 'all were counted');
select is(messenger.capped(11, 10), '{"count":10,"capped":true}', 'there are more');
select * from finish();
rollback;
