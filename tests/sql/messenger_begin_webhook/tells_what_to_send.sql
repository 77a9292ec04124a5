begin;
select plan(8);
select test.set_clock('2026-01-01 12:00:00.5Z');

create temporary table made as
  select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}') ->> 'secret' as first;
select messenger_publish('order.paid', '{"order":7}');
create temporary view begun as
  select messenger_begin_webhook('a', (select max(id) from messenger_webhook_events)) as b;

select is(
  (select b - '{secrets,secret_names}'::text[] from begun),
  '{"url":"https://a.example/","event":"order.paid","data":{"order":7},"timestamp":"2026-01-01T12:00:00.500Z","wait_ms":0}',
  'URL, event, data and the time of the event'
);
select is(
  (select b -> 'secrets' ->> (b -> 'secret_names' ->> 0) from begun), (select first from made), 'and the secret'
);

create temporary table rotated as
  select messenger_rotate_webhook_secret('a', interval '1 hour') ->> 'secret' as second;
select is(
  (select array[b -> 'secrets' ->> (b -> 'secret_names' ->> 0), b -> 'secrets' ->> (b -> 'secret_names' ->> 1)] from begun),
  (select array[r.second, m.first] from rotated r, made m), 'during a rotation the new secret and the former one'
);
select test.set_clock('2026-01-01 13:00:00.5Z');
select is((select jsonb_array_length(b -> 'secret_names') from begun), 1, 'behind it only the new one');

select is(
  messenger_begin_webhook('b', 1) ->> 'refused', 'endpoint: there is no endpoint b any more', 'an endpoint that is gone'
);
select is(
  messenger_begin_webhook('a', 0) ->> 'refused', 'eventId: the event 0 was deleted', 'an event that is gone'
);
select messenger_set_webhook_endpoint('a', '{"disabled":true}');
select is(
  (select b ->> 'refused' from begun), 'endpoint: a is disabled: an operator disabled it', 'an endpoint that is disabled'
);
select is((select b ->> 'event' from begun), 'order.paid', 'with the event''s name');

select * from finish();
rollback;
