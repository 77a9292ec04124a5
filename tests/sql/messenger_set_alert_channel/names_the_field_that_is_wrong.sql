begin;
select plan(24);

create function pg_temp.refusal(settings jsonb, name text default 'ops') returns text
language plpgsql as $$
begin
  perform messenger_set_alert_channel(name, settings);
  return 'set';
exception when sqlstate 'PT400' then
  return sqlerrm;
end $$;

select is(
  pg_temp.refusal(jsonb_build_object('kind', 'slack', 'url', given)), 'url: ' || problem, coalesce(given, 'no URL')
)
from (values
  ('hooks.slack.com/services/x', 'has to be a URL that begins with https://, without spaces'),
  ('ftp://a.example/x', 'has to be a URL that begins with https://, without spaces'),
  ('file:///etc/passwd', 'has to be a URL that begins with https://, without spaces'),
  ('https://a.example/x y', 'has to be a URL that begins with https://, without spaces'),
  (e'https://a.example/x\nHost: b', 'has to be a URL that begins with https://, without spaces'),
  ('https://', 'has to be a URL that begins with https://, without spaces'),
  ('https://a@b@c.example/', 'has to be a URL that begins with https://, without spaces'),
  ('http://localhost\@evil.example/', 'has to be a URL that begins with https://, without spaces'),
  ('http://a.example/x', 'has to begin with https://; http:// is for localhost only'),
  ('http://localhost.evil.example/x', 'has to begin with https://; http:// is for localhost only'),
  ('http://localhost@evil.example/x', 'has to begin with https://; http:// is for localhost only'),
  ('https://a.example/' || repeat('x', 2000), 'has to have at most 2000 characters'),
  (null, 'is required for a channel of kind slack')
) as v (given, problem);
select is(pg_temp.refusal(jsonb_build_object('kind', 'slack', 'url', given)), 'set', given)
from (values ('http://localhost:8000/x'), ('http://127.0.0.1/x'), ('HTTPS://A.example:443/?a=b#c')) as v (given);

select is(pg_temp.refusal('{"kind":"mail"}'), 'kind: has to be one of slack, discord, webhook, message', 'kind');
select is(pg_temp.refusal('{"kind":"message"}'), 'message_type: is required for a channel of kind message', 'no type');
select is(
  pg_temp.refusal('{"kind":"slack","url":"https://a.example","message_type":"A"}'),
  'message_type: is for a channel of kind message only', 'a type'
);
select is(
  pg_temp.refusal('{"kind":"slack","url":"https://a.example","secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}'),
  'secret: is for a channel of kind webhook only', 'a secret that is not used'
);
select is(
  pg_temp.refusal('{"kind":"webhook","url":"https://a.example","secret":"whsec_c2hvcnQ="}'),
  'secret: has to be whsec_ and the base64 of 24 to 64 bytes', 'a short secret'
);
select is(
  pg_temp.refusal('{"kind":"webhook","url":"https://a.example","secret":"whsec_A"}'),
  'secret: has to be whsec_ and the base64 of 24 to 64 bytes', 'no base64'
);
select is(pg_temp.refusal('{"kind":"slack","url":5}'), 'url: has to be a string', 'another type');
select is(
  pg_temp.refusal('{"kind":"slack"}', 'a/b'),
  'name: has to be 1 to 100 letters, digits or _ . : - (''a/b'' was given)', 'a name'
);

select * from finish();
rollback;
