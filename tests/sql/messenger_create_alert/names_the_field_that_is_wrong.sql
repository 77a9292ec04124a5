begin;
select plan(17);

create function pg_temp.refusal(rule text, settings jsonb default '{}', name text default 'mine') returns text
language plpgsql as $$
begin
  perform messenger_create_alert(name, rule, settings);
  return 'made';
exception when sqlstate 'PT400' or sqlstate 'PT409' then
  return sqlerrm;
end $$;

select is(pg_temp.refusal(rule, settings), problem, rule || ' ' || settings)
from (values
  ('no_thing', '{}'::jsonb, 'rule: has to be one of dead_letters, oldest_ready, no_tick, ticks_not_started, schedule_overdue, schedule_failing, retry_rate, long_step, queue_limited, webhook_disabled'),
  (null, '{}', 'rule: has to be one of dead_letters, oldest_ready, no_tick, ticks_not_started, schedule_overdue, schedule_failing, retry_rate, long_step, queue_limited, webhook_disabled'),
  ('no_tick', '{"queue":"mail"}', 'queue: the rule no_tick does not take it'),
  ('no_tick', '{"window_ms":60000}', 'window_ms: the rule no_tick has no window'),
  ('no_tick', '{"threshold":10}', 'threshold: has to be ms, from 1000 to 2592000000 (30 days)'),
  ('no_tick', '{"threshold":"soon"}', 'threshold: invalid input syntax for type double precision: "soon"'),
  ('no_tick', '{"treshold":1}', 'settings: treshold is none of type, reason, queue, schedule, threshold, window_ms, channel, cooldown_ms, enabled'),
  ('no_tick', '{"enabled":null}', 'enabled: has to have a value'),
  ('no_tick', '{"cooldown_ms":1}', 'cooldown_ms: has to be from 60000 (1 minute) to 2592000000 (30 days)'),
  ('no_tick', '{"channel":"nowhere"}', 'channel: there is no channel nowhere'),
  ('dead_letters', '{"threshold":1.5}', 'threshold: has to be a whole number from 1 to 10000'),
  ('dead_letters', '{"reason":"bored"}', 'reason: has to be one of exhausted, unrecoverable, crashed, invalid, unknown_type, expired, cancelled, interrupted'),
  ('dead_letters', '{"window_ms":null}', 'window_ms: has to be from 60000 (1 minute) to 2592000000 (30 days)'),
  ('retry_rate', '{"threshold":50}', 'threshold: has to be a share, above 0 and up to 1'),
  ('queue_limited', '{"threshold":1}', 'threshold: the rule queue_limited has none, only a window')
) as v (rule, settings, problem);
select is(
  pg_temp.refusal('no_tick', name => 'no tick'),
  'name: has to be 1 to 100 letters, digits or _ . : - (''no tick'' was given)', 'a name'
);
select is(pg_temp.refusal('no_tick', name => 'no-tick'), 'name: there is an alert no-tick already', 'a name that is taken');

select * from finish();
rollback;
