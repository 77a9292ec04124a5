-- The other tests of this folder look for offenders; here it shows that they look at something.
begin;
select plan(4);

select set_has(
  $$select relname::text from test.relations where kind = 'r'$$,
  $$values ('messenger_messages'), ('messenger_failed_messages'), ('messenger_queues'),
    ('idempotency_keys')$$,
  'tables'
);
select set_has(
  $$select relname::text from test.relations where kind = 'S'$$,
  $$values ('messenger_messages_id_seq')$$, 'sequences'
);
select set_has(
  $$select relname::text from test.relations where kind = 'i'$$,
  $$values ('messenger_messages_claim_idx')$$, 'indexes'
);
select set_has(
  $$select proname::text from test.functions$$,
  $$values ('messenger_dispatch'), ('messenger_claim'), ('messenger_settle'), ('messenger_redrive'),
    ('lock_due')$$,
  'functions'
);

select * from finish();
rollback;
