-- Keys and groups mean the same for a dispatch of a handler as for any other.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', dedupe_key => 'own');
select test.claim(test.token(1));
create temp table ids as
  select id::bigint, n from jsonb_array_elements_text(messenger_reserve_ids(5) -> 'ids') with ordinality as r (id, n);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'handled', test.ids('A'),
  'effects', jsonb_build_array(jsonb_build_object('id', test.ids('A') -> 0, 'messages', (
    select jsonb_agg(jsonb_build_object('id', i.id::text, 'type', m.type) || m.more order by i.n)
    from ids i join (values
      (1, 'A', '{"dedupe_key": "own"}'::jsonb),
      (2, 'Twice', '{"dedupe_key": "one"}'),
      (3, 'Twice', '{"dedupe_key": "one"}'),
      (4, 'First', '{"group_key": "g"}'),
      (5, 'Second', '{"group_key": "g"}')
    ) as m (n, type, more) on m.n = i.n
  )))
)));
select results_eq(
  'select type, id from messenger_messages order by id',
  $$select m.type, i.id from ids i join (values
    (1, 'A'), (2, 'Twice'), (4, 'First'), (5, 'Second')) as m (n, type) on m.n = i.n order by i.id$$,
  'each is written once under its reserved id; the handled message has given its key back'
);
select is(
  (select blocked from messenger_messages where type = 'Second'), true, 'the second of a group waits'
);
select is(test.claimed(2), array['A', 'Twice', 'First'], 'a claim gets the first of the group');
select is(
  messenger_dispatch('Twice', dedupe_key => 'one'), test.id_of('Twice'), 'the key is held from then on'
);

select * from finish();
rollback;
