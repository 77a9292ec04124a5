-- A trigger of a project's own raises a conflict of transactions.
begin;
select plan(10);
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

create or replace function public.test_conflict() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '40P01', message = 'Verklemmung entdeckt', detail = new.payload ->> 'detail';
end
$$;
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A", "payload": {"detail": "Prozess 7 wartet auf ShareLock."}}]')$$,
  '40P01', 'Verklemmung entdeckt', 'a deadlock that Postgres has found stays one, whatever its language'
);
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A", "payload": {"detail": ""}}]')$$,
  'PT503', null, 'one that a trigger only tells of does not'
);

create or replace function public.test_conflict() returns trigger language plpgsql as $$
begin
  raise sqlstate 'PGRST' using message = '{"code": "X", "message": "no"}', detail = new.payload ->> 'detail';
end
$$;
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A", "payload": {"detail": "{\"status\": 200, \"headers\": {}}"}}]')$$,
  'PT500', null, 'a response of success is an error'
);
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A", "payload": {"detail": "none"}}]')$$,
  'PT500', null, 'so is one that PostgREST cannot read'
);
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "A", "payload": {"detail": "{\"status\": 402, \"headers\": {}}"}}]')$$,
  'PGRST', null, 'a response of an error stays'
);

select * from finish();
rollback;
