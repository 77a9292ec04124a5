-- The place of a step comes back from callers, who may have changed it.
begin;
select plan(4);

prepare place(text) as select messenger_redrive("all" => true, max_messages => 5, after => $1::jsonb);
select throws_ok(
  format($$execute place('{"at":"2026-01-01","id":"1","since":"2026-01-01","matched":%s}')$$, matched),
  'PT400', 'after: has to be the "next" of the step before', matched
) from unnest(array['-1', '-2147483648', '2147483647', '9999999999']) as matched;

select * from finish();
rollback;
