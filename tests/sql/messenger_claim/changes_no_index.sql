-- Each update is a HOT one: no index has to learn of a message that runs. Those that a limit counts are
-- in the index of running messages at once.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.updated() returns table (updated bigint, hot bigint) language sql as $$
  select pg_stat_get_xact_tuples_updated('public.messenger_messages'::regclass),
    pg_stat_get_xact_tuples_hot_updated('public.messenger_messages'::regclass)
$$;

select test.dispatch_many(500);
create temp table before as select * from pg_temp.updated();
select test.claim(test.token(1), 500);
select results_eq(
  'select u.updated - b.updated, u.hot - b.hot from pg_temp.updated() u, before b',
  $$values (500::bigint, 500::bigint)$$, 'of many messages'
);

insert into messenger_messages (type, dedupe_key, quarantined, available_at, stamps)
select 'A', n::text, n = 1, messenger_now(), '{"user":{"id":"ann"}}' from generate_series(1, 10) as n;
update before b set (updated, hot) = (select u.updated, u.hot from pg_temp.updated() u) where true;
select test.claim(test.token(2)), test.claim(test.token(3), run_alone => true);
select results_eq(
  'select u.updated - b.updated, u.hot - b.hot from pg_temp.updated() u, before b',
  $$values (10::bigint, 10::bigint)$$, 'of such as hold a key or are a user''s, and of one that runs alone'
);

insert into messenger_queues (name, concurrency, rate_limit) values ('mail', 2, null), ('slow', null, 2);
select test.dispatch_to_group('g', 'grouped');
select messenger_dispatch('counted', queue => 'mail'), messenger_dispatch('rated', queue => 'slow');
select test.claim(test.token(4));
select results_eq(
  $$select type, bool_and(heartbeated), bool_or(heartbeated) from messenger_messages
    where status = 'processing' group by 1 order by 1$$,
  $$values ('A', false, false), ('Bulk', false, false), ('counted', true, true),
    ('grouped', true, true), ('rated', false, false)$$,
  'only a group and a concurrency have their messages heartbeated'
);
select test.set_clock('2026-01-01 12:05Z');
select test.claim(test.token(5));
select results_eq(
  $$select type from messenger_messages where heartbeated order by 1$$,
  $$values ('counted'), ('grouped')$$, 'and a sweep changes nothing about it'
);

select * from finish();
rollback;
