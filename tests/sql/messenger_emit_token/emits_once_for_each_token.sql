begin;
select plan(5);
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

select * from finish();
rollback;
