-- Either may be missing.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger.append_errors('["a"]', '["b","c"]'), '["a","b","c"]', 'oldest first');
select is(messenger.append_errors(null, '["a"]'), '["a"]', 'no history');
select is(messenger.append_errors('["a"]', null), '["a"]', 'nothing new');
select is(messenger.append_errors(null, null), '[]', 'neither');

select * from finish();
rollback;
