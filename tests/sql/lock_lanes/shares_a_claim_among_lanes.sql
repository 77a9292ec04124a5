-- One tenant's backlog holds up no other's first message by more than a claim.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.queues(answer jsonb) returns text[] language sql as $$
  select array(
    select format('%s %s', m ->> 'queue', count(*)) from jsonb_array_elements(answer -> 'messages') as m
    group by m ->> 'queue' order by m ->> 'queue'
  )
$$;

select test.dispatch_many(1000, 'reports/acme');
select test.dispatch_many(1, 'reports/globex');
select test.dispatch_many(100, 'mail');
select is(
  pg_temp.queues(test.claim(test.token(1), 20)), array['mail 10', 'reports/acme 9', 'reports/globex 1'],
  'the lanes share what their queue gets, and what one does not use goes to the others'
);
select is(
  pg_temp.queues(test.claim(test.token(2), 10, queues => array['reports'])), array['reports/acme 10'],
  'a queue by name means its lanes'
);
select test.dispatch_many(4, 'reports/initech'), test.dispatch_many(4, 'reports');
select is(
  pg_temp.queues(test.claim(test.token(3), 4, queues => array['reports/initech'])), array['reports/initech 4'],
  'a lane may be named'
);
select is(
  pg_temp.queues(test.claim(test.token(4), 8, queues => array['reports'])), array['reports 4', 'reports/acme 4'],
  'messages in no lane are a lane of their own'
);

insert into messenger_queues (name, weight) values ('reports/gold', 3);
select test.dispatch_many(40, 'reports/gold');
select is(
  pg_temp.queues(test.claim(test.token(5), 20, queues => array['reports'])), array['reports/acme 5', 'reports/gold 15'],
  'lanes have weights beside one another'
);

update messenger_queues set paused = true where name = 'reports/gold';
select is(
  pg_temp.queues(test.claim(test.token(6), 4, queues => array['reports'])), array['reports/acme 4'],
  'a lane that is paused gives none'
);
update messenger_queues set paused = true where name = 'reports';
select is(
  pg_temp.queues(test.claim(test.token(7), 4)), array['mail 4'], 'nor do the lanes of a queue that is paused'
);
select is(
  (select count(*) from messenger_queues where name like 'reports/%'), 1::bigint,
  'no lane has a row but the one that an operator made'
);
select is(
  pg_temp.queues(test.claim(test.token(8), 2, queues => array['reports/acme'])), '{}',
  'nor does a lane that is named'
);

select * from finish();
rollback;
