begin;
select plan(3);

insert into messenger_schedules (id, message_type, payload, schedule_type, cron, stamps)
values (7, 'A', '{"n":[1970670598291982290, 1.5]}', 'cron', '@daily', '{"user":{"id":"u"}}');
select is(
  messenger_show_schedule(7, exact => true) #> '{schedule,payload}', '{"n":["1970670598291982290", 1.5]}',
  'text with the stored digits, for people'
);
select is(
  messenger_show_schedule(7) #> '{schedule,payload}', '{"n":[1970670598291982290, 1.5]}',
  'the number itself, where a message is made of it'
);
select is(
  messenger_list_user_schedules('u') #> '{schedules,0,payload}', '{"n":["1970670598291982290", 1.5]}',
  'text in the list of its user'
);

select * from finish();
rollback;
