-- One that was edited in SQL stays, with an error that names the field, and holds up no other.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter(type) from unnest('{A,B,C,D,E,F}'::text[]) as type;
update messenger_failed_messages set queue = 'no queue' where type = 'A';
update messenger_failed_messages set group_key = '' where type = 'B';
update messenger_failed_messages set priority = 30000 where type = 'C';
update messenger_failed_messages set stamps = jsonb_build_array(
  (select string_agg(md5(n::text), '') from generate_series(1, 60000) as n)
) where type = 'D';
update messenger_failed_messages set redriven = 2147483647 where type = 'E';
select is((messenger_redrive("all" => true) ->> 'done')::integer, 2, 'a filter redrives the others');
select results_eq(
  'select type from messenger_failed_messages order by type', $$values ('A'), ('B'), ('C'), ('D')$$,
  'and leaves those'
);
select is(
  (select stamps ->> 'redriven' from messenger_messages where type = 'E'), '2147483648',
  'no number of redrives is too large'
);
prepare redriven(text) as select messenger_redrive(ids => array[test.id_of($1)]);
select throws_like(
  $$execute redriven('A')$$, 'queue: of dead letter % has to be 1 to 100 letters, digits or _ . : -; %',
  'the queue is named'
);
select throws_like(
  $$execute redriven('B')$$, 'group_key: of dead letter % has to be 1 to 255 characters', 'and the group'
);
select throws_like(
  $$execute redriven('C')$$, 'priority: of dead letter % has to be from -1000 to 1000', 'the priority'
);
select throws_ok($$execute redriven('C')$$, 'PT400', null, 'as the caller''s fault');
select throws_like(
  $$execute redriven('D')$$, 'stamps: dead letter % has 19_____ bytes; has to have at most 1048500',
  'and the stamps'
);
select is(
  (messenger_redrive(ids => array[test.id_of('A')], to_queue => 'mail') ->> 'done')::integer, 1,
  'into another queue it can go'
);

select * from finish();
rollback;
