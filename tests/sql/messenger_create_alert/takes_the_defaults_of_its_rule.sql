begin;
select plan(2);
set local role service_role;

select is(
  (messenger_create_alert('mail', 'dead_letters', '{"queue":"mail","threshold":5}') -> 'alert')
    - array['created_at', 'updated_at', 'since'],
  '{"name":"mail","rule":"dead_letters","type":null,"reason":null,"queue":"mail","schedule":null,"threshold":5,
    "window_ms":3600000,"channel":null,"cooldown_ms":3600000,"enabled":true,"state":"resolved","value":null,
    "subject":null,"told_at":null,"checked_at":null,"error":null}',
  'the window is its rule''s, and the channel the default one'
);
select is(
  messenger_list_alerts('mail') -> 'alerts' -> 0 -> 'queue', '"mail"', 'and it is listed'
);

select * from finish();
rollback;
