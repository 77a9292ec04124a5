-- The bus has one identity. A restored schema gets one at the first call.
begin;
select plan(3);
select is(messenger.installation_id(), messenger.installation_id(), 'it stays');
delete from messenger.installation where true;
select isnt(messenger.installation_id(), null, 'it is made');
select is((select count(*)::integer from messenger.installation), 1, 'once');

select * from finish();
rollback;
