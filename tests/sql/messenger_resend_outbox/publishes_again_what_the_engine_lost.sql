-- Sent publications are kept for a window, can be sent again, marked as repeated, and are pruned after it.
begin;
select plan(11);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow', to_jsonb(n)) from generate_series(1, 3) as n;
update messenger.outbox set sent_at = now() - interval '10 minutes' where payload = '1';
update messenger.outbox set sent_at = now() - interval '2 hours' where payload = '2';
select is(
  messenger_resend_outbox('events', now() - interval '30 minutes', dry_run => true), '{"matched": 1, "done": 0, "next": null}',
  'a dry run counts those since the moment'
);
-- Looks begin behind it, as they do for a while beside an old transaction.
delete from messenger.outbox where payload = '3';
update messenger.relays set front = now() + interval '1 minute', front_until = now() + interval '1 hour' where true;
select is(messenger_resend_outbox('events', now() - interval '30 minutes') -> 'done', '1', 'they wait again');
select isnt(messenger.outbox_due('events'), null, 'and the next read finds them');
select messenger_dispatch('ImportRow', '3');
select results_eq(
  $$select payload, sent_at is null, repeated from messenger.outbox order by payload$$,
  $$values ('1'::jsonb, true, true), ('2', false, false), ('3', true, false)$$, 'marked, because the engine may have them'
);
select is((messenger_prune() -> 'outbox')::int, 1, 'what was sent longer ago than an hour is pruned');
select is((select count(*)::int from messenger.outbox), 2, 'what waits is not');
select messenger_set_outbox(keep_sent => '0');
select messenger.mark_sent(array(select position from messenger.outbox where payload = '1'));
select is((select count(*)::int from messenger.outbox), 1, 'with a window of nothing, a sent row goes at once');
insert into messenger.handled_deliveries values ('events', messenger.installation_id(), 1, 1, now() - interval '25 hours');
select is((messenger_prune() -> 'deliveries')::int, 1, 'handled deliveries are forgotten after a day');
select throws_ok($$select messenger_resend_outbox('events', null)$$, 'PT400', 'since: is missing; give the moment after which the engine lost messages', 'a moment is needed');
select throws_ok($$select messenger_resend_outbox(null, now())$$, 'PT400', 'transport: is missing', 'and a transport');
select throws_ok(
  $$select messenger_resend_outbox('evnts', now())$$, 'PT404', 'transport: there is no transport evnts', 'an unknown transport is refused'
);
select * from finish();
rollback;
