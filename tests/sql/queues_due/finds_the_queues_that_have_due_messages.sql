-- Of all queues or of those asked for, each once, and where its first due message is.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.found(queues text[] default null, last_keys jsonb default '{}')
returns text[] language sql as $$
  select array(select d.queue from messenger.queues_due(queues, last_keys) d order by 1)
$$;

select is(pg_temp.found(), '{}', 'none where nothing waits');
select messenger_dispatch('A', queue => 'mail'), messenger_dispatch('B', queue => 'mail'),
  messenger_dispatch('C', queue => 'a'), messenger_dispatch('D', queue => 'z', priority => -3),
  messenger_dispatch('E', queue => 'z', priority => 3, delay => interval '1 hour'),
  messenger_dispatch('F', queue => 'later', delay => interval '1 hour'),
  messenger_dispatch('I', queue => 'later', priority => 3, delay => interval '1 hour'),
  messenger_dispatch('J', queue => 'later', priority => 1, delay => interval '1 hour'),
  messenger_dispatch('G', queue => 'blocked', group_key => 'g'),
  messenger_dispatch('H', queue => 'quarantined');
update messenger_messages set blocked = true where type = 'G';
update messenger_messages set quarantined = true where type = 'H';
select is(
  pg_temp.found(), array['a', 'mail', 'z'], 'with what is due, also behind what is of the future'
);
select is(pg_temp.found(array['z', 'later', 'none', 'z']), array['z'], 'of those asked for');
select is(pg_temp.found('{}'), '{}', 'which may be none');
select results_eq(
  $$select d.queue, ((d.first_key).priority)::integer, (d.first_key).id + 1
    from messenger.queues_due() d order by 1$$,
  $$values ('a', 0, test.id_of('C')), ('mail', 0, test.id_of('A')), ('z', -3, test.id_of('D'))$$,
  'with a key in front of the first due message'
);
select is(
  pg_temp.found(last_keys => '{"b": [0, null, "1"], "mail": [0, null, "1"], "zz": [0, null, "1"]}'),
  array['a', 'b', 'mail', 'z', 'zz'], 'those with a last key are given as they are'
);
select is(
  pg_temp.found(array['mail', 'z'], '{"mail": [0, null, "1"], "zz": [0, null, "1"]}'),
  array['mail', 'z'], 'where they are asked for'
);
select is(
  (select first_key from messenger.queues_due(null, '{"mail": [0, null, "1"]}') where queue = 'mail'),
  null, 'and nothing is said of their first message'
);
select test.claimed(1);
select is(pg_temp.found(), '{}', 'what runs does not count');

select * from finish();
rollback;
