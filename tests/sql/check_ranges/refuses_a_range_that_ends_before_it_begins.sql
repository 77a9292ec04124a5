-- Nothing lies in such a range: an empty list would hide the mistake.
begin;
select plan(10);

select throws_ok(
  format('select %s(%s_from => %L, %2$s_until => %L)', name, field, '2026-01-02Z', until),
  'PT400', format('%1$s_until: has to come after %1$s_from', field), format('%s, %s until %s', name, field, until)
)
from (values
  ('messenger_list_messages', 'created', '2026-01-01Z'), ('messenger_list_messages', 'created', '2026-01-02Z'),
  ('messenger_list_failed', 'created', '2026-01-01Z'), ('messenger_list_failed', 'failed', '2026-01-01Z'),
  ('messenger_group_failed', 'failed', '-infinity'), ('messenger_cancel', 'created', '2026-01-01Z'),
  ('messenger_redrive', 'failed', '2026-01-01Z'), ('messenger_remove_failed', 'created', '2026-01-01Z'),
  ('messenger_resend_webhooks', 'sent', '2026-01-02Z')
) as r (name, field, until);
select lives_ok(
  $$select messenger_list_failed(failed_from => '2026-01-02Z', failed_until => 'infinity', created_until => '2026-01-01Z')$$,
  'ranges of different fields may be any'
);

select * from finish();
rollback;
