-- After a time, a thousand at a time.
begin;
select plan(8);
select test.set_clock('2026-01-08 12:00Z');
create function pg_temp.names() returns text[] language sql as $$
  select array(select name from messenger_queues where name !~ '^t\d' order by 1)
$$;

delete from messenger_queues where true;
insert into messenger_queues (name, created_at)
select n, '2026-01-01' from unnest(array['default', 'empty', 'full', 'set', 'paused']) as n;
insert into messenger_queues (name, created_at) values ('new', '2026-01-02');
update messenger_queues set lease_ms = 5000 where name = 'set';
update messenger_queues set paused = true where name = 'paused';
select messenger_dispatch('A', queue => 'full', delay => interval '1 day');
select is(
  messenger_tidy_queues(), '{"matched": 1, "done": 1, "next": null}', 'one of them is to go'
);
select is(pg_temp.names(), array['default', 'full', 'new', 'paused', 'set'], 'it is gone');
select is(
  messenger_tidy_queues(interval '1 day') ->> 'done', '1', 'sooner where that is asked for'
);
select throws_ok(
  $$select messenger_tidy_queues(interval '-1 day')$$, 'PT400',
  'empty_older_than: has to be from zero to 100 years (was -1 days)', 'but not before it is there'
);

insert into messenger_queues (name, created_at)
select 't' || to_char(n, 'FM0000'), '2026-01-01' from generate_series(1, 1500) n;
select messenger_dispatch('B', queue => 't0500');
select is(
  messenger_tidy_queues() - 'next', '{"matched": 998, "done": 998}', 'a step forgets a thousand at most'
);
select is(
  messenger_tidy_queues(after => '{"name": "t0999"}'), '{"matched": 501, "done": 501, "next": null}',
  'the next step continues behind it'
);
select is(
  array(select name from messenger_queues where name ~ '^t\d'), array['t0500'], 'what holds a message stays'
);
select is(
  (select command from cron.job where jobname = 'symphony-tidy-queues'),
  $$call public.messenger_in_steps('messenger_tidy_queues', '{"empty_older_than": "7 days"}')$$,
  'pg_cron takes all steps every hour'
);

select * from finish();
rollback;
