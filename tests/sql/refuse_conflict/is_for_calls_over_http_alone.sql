-- A trigger of a project's own raises a conflict of transactions.
begin;
select plan(5);
create function public.test_conflict() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '400' || '01', message = 'the rows have changed';
end
$$;
create trigger test_conflict before insert on messenger_messages for each row execute function public.test_conflict();

select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A"}]')$$, '40001', 'the rows have changed',
  'a session of SQL sees the conflict, and repeats its transaction'
);
select set_config('request.method', 'POST', true);
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A"}]')$$, 'PT503',
  'the database has met another transaction: the rows have changed', 'a call over HTTP is told to come back'
);
select throws_ok(
  $$select messenger_act('ann', 'messenger_trigger_schedule', jsonb_build_object('id', 1))$$, 'PT404', null,
  'other errors stay what they are'
);

create or replace function public.test_conflict() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'PT' || (case new.type when 'A' then '200' else '409' end), message = 'no';
end
$$;
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A"}]')$$, 'PT500', 'no', 'and what would count as an answer is an error'
);
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "B"}]')$$, 'PT409', 'no', 'a status of an error stays'
);

select * from finish();
rollback;
