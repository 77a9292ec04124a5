begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.dead_letter('A');
select test.dispatch('B');
select test.claim(test.token(1));

select is(
  messenger_redrive(ids => array[test.id_of('A'), 987654321, 987654320]) -> 'missing',
  '["987654320","987654321"]', 'redrive'
);
select is(messenger_remove_failed(ids => '{987654321}') -> 'missing', '["987654321"]', 'remove');
select is(messenger_cancel(ids => '{987654321}') -> 'missing', '["987654321"]', 'cancel');
select is(
  messenger_run(ids => array[test.id_of('B'), 987654321]) -> 'missing', '["987654321"]',
  'run: one that runs is there'
);

select * from finish();
rollback;
