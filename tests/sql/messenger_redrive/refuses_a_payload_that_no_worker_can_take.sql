-- With the words of a dispatch, and the dead letter stays. By a filter, what is too large is left where it is.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

create temp table large as
select jsonb_build_object('text', repeat('x', 9000000)) as value;

select test.dead_letter('A'), test.dead_letter('B');
prepare edited as
  select messenger_redrive(ids => array[test.id_of('A')], payload => (select value from large));
select throws_like(
  'execute edited', 'payload: has 90000__ bytes; has to have at most 8388608', 'an edited payload'
);
select throws_ok('execute edited', 'PT413', null, 'as too large');
select is((select count(*) from messenger_failed_messages), 2::bigint, 'the dead letters stay');

-- Written into the dead letter in SQL, so that its compression does not hide its size.
alter table messenger_failed_messages alter column payload set storage external;
update messenger_failed_messages set payload = (select value || '{}' from large) where type = 'A';
select throws_like(
  $$select messenger_redrive(ids => array[test.id_of('A')])$$,
  'payload: dead letter ' || test.id_of('A') || ' has 90000__ bytes; %', 'a stored one by its id'
);
select is(
  (messenger_redrive("all" => true) ->> 'done')::integer, 1, 'a filter redrives the others'
);
select results_eq(
  'select type from messenger_failed_messages', $$values ('A')$$, 'and leaves it'
);

select * from finish();
rollback;
