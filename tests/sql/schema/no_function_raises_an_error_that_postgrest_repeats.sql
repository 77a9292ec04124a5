-- PostgREST runs a call again, for ever, that fails with serialization_failure or deadlock_detected.
begin;
select plan(1);

select is_empty(
  $$select function from test.functions
    where prosrc ~* 'raise[^;]*(40001|40P01|serialization_failure|deadlock_detected)'$$,
  'neither by code nor by name'
);

select * from finish();
rollback;
