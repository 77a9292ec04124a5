-- As after a restore that set the sequence of the ids back.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_ticks (id) overriding system value select 3000000 + n from generate_series(0, 9) as n;
select setval('messenger_ticks_id_seq', 3000000, false);
select test.dispatch('A');
select lives_ok('select messenger_start_tick()', 'it starts');
select isnt_empty(
  'select from messenger_ticks where id = 3000010 and started_at is not null', 'with the next id that is free'
);

select * from finish();
rollback;
