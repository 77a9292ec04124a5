-- A cancel without a filter would mean every message there is.
begin;
select plan(6);
select test.dispatch('A', 'A');
select test.claim(test.token(1), 1);

select is(
  messenger_cancel(type => 'A', dry_run => true) - '{left,missing,next}'::text[],
  '{"matched":2,"done":0,"running":0}', 'it counts'
);
select is((select count(*) from messenger_messages where not cancelled), 2::bigint, 'and no more');
select is(
  messenger_cancel(queue => 'other') -> 'matched', '0',
  'a filter that means nothing cancels nothing'
);
select throws_ok(
  'select messenger_cancel()', 'PT400', 'filter: give at least one of ids, type, queue, error, group_key, user_id, created_from, created_until, or "all" => true',
  'no filter'
);
select throws_ok(
  format('select %s(ids => ''{null}'')', operation), 'PT400',
  'ids: have to be a list of ids without null', operation || ': null in the place of an id'
) from unnest(array['messenger_cancel', 'messenger_run']) as operation;

select * from finish();
rollback;
