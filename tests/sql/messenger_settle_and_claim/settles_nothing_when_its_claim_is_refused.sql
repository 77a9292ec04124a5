-- One call, one transaction.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select throws_ok(
  $$select test.settle_and_claim(
    jsonb_build_array(jsonb_build_object('token', test.token(1), 'handled', test.ids('A'))), null
  )$$,
  'PT400', 'token: is required', 'a claim without a token'
);
select is((select status from messenger_messages), 'processing', 'the message is still leased');
select throws_ok(
  $$select test.settle_and_claim(null, test.token(2))$$,
  'PT400', 'settlements: has to be an array', 'a settle without settlements'
);

select * from finish();
rollback;
