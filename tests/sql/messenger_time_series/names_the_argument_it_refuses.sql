-- A chart has at most 1,500 points.
begin;
select plan(6);
select test.set_clock('2026-01-02 12:00Z');

select throws_ok(
  $$select messenger_time_series('2026-01-02 12:00Z', '2026-01-02 12:00Z')$$, 'PT400',
  'from: has to lie before until (2026-01-02 12:00:00+00 was given)', 'no time'
);
select throws_ok(
  $$select messenger_time_series(step_seconds => 90)$$, 'PT400',
  'step: has to be whole minutes, from 1m to 1d (90s was given)', 'half a minute'
);
select throws_ok(
  $$select messenger_time_series('2025-01-01Z', step_seconds => 3600)$$, 'PT400',
  'step: is too small for this time, which would have 8796 points; 1500 are the most', 'too many'
);
select is(
  messenger_time_series('2026-01-01Z', '2026-01-01 03:00Z', 60) ->> 'step_seconds', '3600',
  'more than a day ago there is a point an hour'
);
select is(messenger_time_series('2026-01-01 13:00Z') ->> 'step_seconds', '900', 'a day has quarters of an hour');
select is(
  jsonb_array_length(messenger_time_series('2020-01-01Z', step_seconds => 86400, until_at => '2022-01-01Z') -> 'points'), 731,
  'any time ago'
);

select * from finish();
rollback;
