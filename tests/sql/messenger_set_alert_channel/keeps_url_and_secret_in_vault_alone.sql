begin;
select plan(9);
set local role service_role;

select is(
  (messenger_set_alert_channel('ops', '{"kind":"webhook","url":"https://user:pass@a.example/hook/s3cret",
    "secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}') -> 'channel') - array['created_at', 'updated_at'],
  '{"name":"ops","kind":"webhook","host":"a.example","message_type":null,"signed":true,"is_default":true}',
  'the service role sets a channel, and is told the host alone'
);
reset role;
select is(
  (select array_agg(name || '=' || decrypted_secret order by name) from vault.decrypted_secrets where name like '%alert%'),
  '{symphony_alert_ops_secret=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz,symphony_alert_ops_url=https://user:pass@a.example/hook/s3cret}',
  'Vault has both'
);
select is(
  (select count(*) from messenger_alert_channels c where c::text ~ 's3cret|pass|whsec'), 0::bigint, 'the table has neither'
);
select is(messenger_list_alert_channels()::text ~ 's3cret|pass|whsec', false, 'nor has the list');

select messenger_act('me', 'messenger_set_alert_channel', '{"name":"ops","settings":{"kind":"webhook","url":"https://b.example/n3w"}}');
select is(
  (select target from messenger_actions), '{"name":"ops","settings":{"kind":"webhook","url":"changed"}}',
  'the action log has that the URL was changed'
);
select is(
  (select array_agg(decrypted_secret order by name) from vault.decrypted_secrets where name like '%alert%'),
  '{whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz,https://b.example/n3w}', 'a secret that is left out stays'
);
select messenger_set_alert_channel('ops', '{"kind":"webhook","secret":null}');
select is(
  (select array_agg(decrypted_secret order by name) from vault.decrypted_secrets where name like '%alert%'),
  '{https://b.example/n3w}', 'one that is null is deleted, and a URL that is left out stays'
);
select messenger_set_alert_channel('ops', '{"kind":"message","message_type":"Page"}');
select is(
  (select count(*) from vault.secrets where name like '%alert%'), 0::bigint, 'a channel of kind message has no secrets'
);
select throws_ok(
  $$update messenger_alert_channels set name = 'x' where name = 'ops'$$, 'PT409',
  'name: the channel ops keeps its name', 'under which Vault has its secrets'
);

select * from finish();
rollback;
