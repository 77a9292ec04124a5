begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select ok(messenger_emit_token('approved:42', 'first', '2026-01-08 12:00Z', '{"ok":true}') is not null, 'a token emits');
select throws_ok(
  $$select messenger_emit_token('approved:42', 'first', '2026-01-08 12:00Z', '{"ok":false}')$$,
  'PT409', 'token: was used already', 'and not a second time'
);
select ok(messenger_emit_token('approved:42', 'second', '2026-01-08 12:00Z') is not null, 'another token does');
select is(
  (select jsonb_agg(value order by id) from messenger_events), '[{"ok":true},null]', 'each with its value'
);
select throws_ok(
  $$select messenger_emit_token('e', null, '2026-01-08 12:00Z')$$,
  'PT400', 'token: has to have an id and an end', 'a token has an id'
);

select test.set_clock('2026-01-08 12:30Z');
select throws_ok(
  $$select messenger_emit_token('approved:42', 'first', '2026-01-08 12:00Z')$$,
  'PT409', 'token: was used already', 'a function''s clock may be behind'
);
select test.set_clock('2026-01-08 14:00Z');
select messenger_prune_events();
select throws_ok(
  $$select messenger_emit_token('approved:42', 'first', '2026-01-08 12:00Z')$$,
  'PT409', 'token: has expired', 'but not so far that the use of the token is forgotten'
);
select * from finish();
rollback;
