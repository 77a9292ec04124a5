-- Members of batches have stamps and no other rare value. Stamps in SQL may be no object.
begin;
select plan(3);

select messenger_enqueue('[{"type": "A", "stamps": {"user": "u"}}, {"type": "B"}, {"type": "C", "stamps": {"user": "u"}, "ttl_ms": 60000}]');
insert into messenger_messages (type, stamps) values ('D', '[null, false, 0, {"user": "v"}, false, 0, 0]');
create temp table claim as
select envelope.value from json_array_elements(messenger_claim(test.token(1), bare_stamps => true) -> 'messages') as envelope;

select is(
  (select array_agg(json_array_length(value) || coalesce(value ->> 9, '-') order by value ->> 1)
    from claim where value ->> 1 <> 'C'),
  array['11-', '10-', '11-'],
  'an envelope with stamps and no other rare value has one entry more'
);
select is(
  (select jsonb_object_agg(value ->> 1, value -> 10) from claim where value ->> 1 <> 'C'),
  '{"A": {"user": "u"}, "B": null, "D": [null, false, 0, {"user": "v"}, false, 0, 0]}',
  'which is its stamps, whatever they are'
);
select is(
  (select json_array_length(value) || ' ' || (value -> 9 ->> 3) from claim where value ->> 1 = 'C'),
  '10 {"user": "u"}', 'beside other values they stand among these'
);

select * from finish();
rollback;
