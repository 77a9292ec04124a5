begin;
select plan(5);

select is(
  messenger_set_alert('no-tick', '{"threshold":180000,"enabled":false}') #- '{alert,updated_at}' #> '{alert,threshold}',
  '180000', 'the threshold'
);
select results_eq(
  $$select threshold, cooldown_ms, enabled from messenger_alerts where name = 'no-tick'$$,
  $$values (180000::double precision, 3600000::bigint, false)$$, 'and what is not given stays'
);
select is(messenger_set_alert('no-tick', '{"enabled":false}') -> 'changed', 'false', 'the same again changes nothing');
select throws_ok($$select messenger_set_alert('nothing', '{}')$$, 'PT404', 'name: there is no alert nothing', 'none');
select throws_ok(
  $$select messenger_set_alert('no-tick', '{"schedule":"x"}')$$, 'PT400',
  'schedule: the rule no_tick does not take it', 'a filter of another rule'
);

select * from finish();
rollback;
