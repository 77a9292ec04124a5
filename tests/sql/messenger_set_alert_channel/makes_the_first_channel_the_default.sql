begin;
select plan(4);

create function pg_temp.is_default() returns text language sql
as $$ select string_agg(c.name, ',') from messenger_alert_channels c where c.is_default $$;

select messenger_set_alert_channel('a', '{"kind":"slack","url":"https://a.example"}');
select is(pg_temp.is_default(), 'a', 'the first one is');
select messenger_set_alert_channel('b', '{"kind":"slack","url":"https://a.example"}');
select is(pg_temp.is_default(), 'a', 'the second one is not');
select messenger_set_alert_channel('b', '{"kind":"slack","is_default":true}');
select is(pg_temp.is_default(), 'b', 'until it is asked for');
select messenger_set_alert_channel('b', '{"kind":"slack"}');
select is(pg_temp.is_default(), 'b', 'and it stays so');

select * from finish();
rollback;
