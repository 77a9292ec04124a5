-- An operator moves messages in the table editor.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A');
update messenger_messages set queue = 'elsewhere' where type = 'A';
select is(
  test.types(test.claim(test.token(1)) -> 'messages'), array['A'],
  'the message is claimed from its new queue'
);

select * from finish();
rollback;
