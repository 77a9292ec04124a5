-- As if the times of a bucket were spread evenly over it.
begin;
select plan(7);

select is(messenger.quantile('{}', 0.5), null, 'none without times');
select is(messenger.quantile('{0,0}', 0.5), null, 'nor with zeros');
select is(messenger.quantile('{10}', 0.5), 0.5::double precision, 'the first bucket begins at 0');
select is(messenger.quantile('{0,0,0,100}', 0.5), 6::double precision, 'the fourth lies between 4 and 8 ms');
select is(messenger.quantile('{50,0,0,50}', 0.5), 1::double precision, 'the end of a bucket that holds half of them');
select is(messenger.quantile('{0,98,0,0,2}', 0.99), 12::double precision, 'the 99th of a hundred');
select is(
  messenger.quantile(array_fill(0, array[27]) || 5, 0.5), (2 ^ 26)::double precision,
  'times beyond the last bound count as the bound'
);

select * from finish();
rollback;
