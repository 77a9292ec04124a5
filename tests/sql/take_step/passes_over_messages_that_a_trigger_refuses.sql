begin;
select plan(9);
create function refuse_bad() returns trigger language plpgsql as $$
begin
  if old.payload @> '{"bad":true}' then
    raise check_violation using message = 'a bad one';
  end if;
  return old;
end
$$;
create trigger refuse_bad before delete on messenger_failed_messages for each row execute function refuse_bad();
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', jsonb_build_object('bad', n in (1, 150, 300)), 'default', 'exhausted',
  messenger_now(), messenger_now() - interval '1 day' + n * interval '1 second'
from generate_series(1, 300) as n;
set local client_min_messages = error;

select is(messenger_redrive(type => 'Bulk', max_messages => 200) -> 'done', '200', 'the others are redriven');
select is(
  (select array_agg(id order by id) from messenger_failed_messages where id < 203), '{1,150}',
  'those that are refused stay dead letters'
);
select is((select count(*) from messenger_messages), 200::bigint, 'each of the others is a message once');
select is(
  messenger_remove_failed("all" => true) - array['left', 'missing', 'running'], '{"matched":97,"done":97,"next":null}',
  'as in a removal'
);
select throws_ok(
  'select messenger_remove_failed("all" => true)', '23514', 'a bad one', 'a step that did nothing says why'
);
select throws_ok(
  'select messenger_remove_failed(ids => array(select id from messenger_failed_messages))', '23514', 'a bad one',
  'and so does one of ids'
);
delete from messenger_messages where id > 20;
select messenger_dispatch('Fine');
create function refuse_bulk() returns trigger language plpgsql as $$
begin
  if new.type = 'Bulk' then
    raise check_violation using message = 'no more of them';
  end if;
  return new;
end
$$;
create trigger refuse_bulk before insert on messenger_failed_messages for each row execute function refuse_bulk();
select is(messenger_cancel(queue => 'default') -> 'done', '1', 'a cancel passes them over, too');
select is((select count(*) from messenger_messages), 19::bigint, 'and they wait as before');
select is_empty(
  $$select from messenger_messages where cancelled or status = 'processing'$$, 'nothing of them is changed'
);

select * from finish();
rollback;
