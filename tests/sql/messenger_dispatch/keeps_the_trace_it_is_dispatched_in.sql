-- The argument, or else the traceparent of the Data API's request.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('T', traceparent => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
select is(
  (select stamps from messenger_messages),
  '{"traceContext": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}'::jsonb, 'a traceparent is a stamp'
);
delete from messenger_messages;

select messenger_dispatch('T');
select is((select stamps from messenger_messages), null, 'without a trace there is no stamp');
delete from messenger_messages;

create table orders (id integer);
create function on_order() returns trigger language plpgsql as $$
begin
  perform messenger_dispatch('T');
  return null;
end
$$;
create trigger on_order after insert on orders for each row execute function on_order();
select set_config(
  'request.headers',
  '{"host": "x", "traceparent": "00-11111111111111111111111111111111-2222222222222222-00"}', true
);
insert into orders values (1);
select is(
  (select stamps #>> '{traceContext,traceparent}' from messenger_messages),
  '00-11111111111111111111111111111111-2222222222222222-00', 'a trigger dispatches in the trace of the request'
);
delete from messenger_messages;
select messenger_dispatch('T', traceparent => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
select is(
  (select stamps #>> '{traceContext,traceparent}' from messenger_messages),
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'the argument wins'
);
delete from messenger_messages;

select set_config('request.headers', '{"traceparent": "00-00000000000000000000000000000000-2222222222222222-00"}', true);
select messenger_dispatch('T');
select is((select stamps from messenger_messages), null, 'a wrong header is left out');
delete from messenger_messages;
select set_config('request.headers', 'not json "traceparent": 7', true);
select messenger_dispatch('T');
select is((select stamps from messenger_messages), null, 'and so is what is no header at all');

select throws_ok(
  $$select messenger_dispatch('T', traceparent => 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')$$, 'PT400',
  'traceparent: has to be like 00-<32 hex digits>-<16 hex digits>-01, as W3C''s Trace Context says', 'ff is no version'
);
select throws_ok(
  $$select messenger_dispatch('T', traceparent => '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01')$$, 'PT400',
  null, 'a span of zeros is none'
);
select throws_ok(
  $$select messenger_dispatch('T', traceparent => '')$$, 'PT400', null, 'an empty text is no trace'
);

select * from finish();
rollback;
