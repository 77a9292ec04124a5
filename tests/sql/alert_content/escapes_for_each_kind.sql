begin;
select plan(3);

create temp table told as select messenger.alert_body('firing', '{"title":"Alert: a","summary":"<!channel> *b* & @everyone <@1>",
  "advice":"`c`","project":null}') as body;
select is(
  messenger.alert_content('slack', body),
  '{"text":"*Alert: a*\n&lt;!channel&gt; *b* &amp; @everyone &lt;@1&gt;\n`c`"}', 'Slack sees no markup of its own'
) from told;
select is(
  messenger.alert_content('discord', body),
  '{"content":"**Alert: a**\n\\<!channel\\> \\*b\\* & @everyone \\<@1\\>\n\\`c\\`","allowed_mentions":{"parse":[]}}',
  'Discord pings no user'
) from told;
select is(messenger.alert_content('webhook', body), body, 'a webhook gets the body as it is') from told;

select * from finish();
rollback;
