-- Stamps may come from the user's own SQL and middleware.
begin;
select plan(3);
select messenger_enqueue('[{"type":"A","stamps":{"batch":"own"}},{"type":"B","stamps":{"batch":{"id":"x"}}},{"type":"C","stamps":{"batch":{"id":"987654321"}}}]');
select test.claimed(1);
select lives_ok($$select test.handle(1, 'A', 'B', 'C')$$, 'such messages are settled');
select lives_ok($$select test.claim(test.token(2))$$, 'and the sweep passes over them');
select is_empty('select from messenger.batch_deltas', 'and forgets them');
select * from finish();
rollback;
