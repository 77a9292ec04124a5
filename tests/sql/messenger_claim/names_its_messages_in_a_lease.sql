-- One row for its token, one more for what it hands out as crashed.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select test.claim(test.token(1));
select is_empty('select * from messenger.leases', 'none for a claim that found nothing');

select test.dispatch('A', 'B');
update messenger_queues set lease_ms = 30000 where name = 'default';
select messenger_dispatch('C', queue => 'mail');
select test.claim(test.token(1));
select results_eq(
  $$select token, leased_until, open, array(select unnest(ids) order by 1) from messenger.leases$$,
  $$select test.token(1), '2026-01-01 12:00:30Z'::timestamptz, 3, array_agg(id order by id)
    from messenger_messages$$,
  'its messages, until the first of their leases ends'
);
select ok(
  (select queues @> '{default,mail}' from messenger.leases), 'and the queues where they are'
);

select test.set_clock('2026-01-01 12:00:30Z');
select test.dispatch('D');
create temp table claim as select test.claim(test.token(2)) as answer;
select results_eq(
  $$select l.token, array_agg(m.type order by m.type), array_agg(l.open)
    from messenger.leases l, unnest(l.ids) as i (id), messenger_messages m where m.id = i.id
    group by 1 order by 2$$,
  $$select (answer ->> 'crashed_token')::uuid, array['A', 'B'], '{2,2}'::integer[] from claim
    union all values (test.token(1), array['C'], array[1]), (test.token(2), array['D'], array[1])$$,
  'a sweep takes what expired over, and leaves the rest'
);

insert into messenger_queues (name) select 'q' || n from generate_series(1, 10) as n;
select messenger_dispatch('E', queue => 'q7');
select test.claim(test.token(3));
select is(
  (select queues from messenger.leases where token = test.token(3)), array['q7'],
  'of many queues it names those that it found something in'
);
select test.set_clock('2026-01-01 12:05Z');
select ok(
  test.types(test.claim(test.token(4), queues => array['q7']) -> 'crashed') = array['E'],
  'where it is found again'
);

select * from finish();
rollback;
