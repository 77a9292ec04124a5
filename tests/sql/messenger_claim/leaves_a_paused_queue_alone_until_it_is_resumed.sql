-- Pausing stops new starts and handing out crashed ones; what runs may settle.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('running', queue => 'mail');
select test.claim(test.token(1));
select messenger_dispatch('waiting', queue => 'mail');
update messenger_queues set paused = true where name = 'mail';
select test.set_clock('2026-01-01 12:05Z');

create temp table claim as select test.claim(test.token(2)) as answer;
select is((select answer -> 'messages' from claim), '[]', 'nothing is claimed');
select is((select answer -> 'crashed' from claim), '[]', 'nothing is swept');
select is(
  (select answer ->> 'next_due_at' from claim), null, 'nothing is to be waited for'
);

update messenger_queues set paused = false where name = 'mail';
select results_eq(
  $$select test.types(c -> 'messages'), test.types(c -> 'crashed')
    from test.claim(test.token(3)) as c$$,
  $$values (array['waiting'], array['running'])$$,
  'resumed, both are handed out'
);

select * from finish();
rollback;
