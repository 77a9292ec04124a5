begin;
select plan(4);

select is(encode(messenger.hmac_sha256(key, content), 'hex'), wanted, format('a key of %s bytes', octet_length(key)))
from (values
  (decode(repeat('0b', 20), 'hex'), 'Hi There'::bytea,
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'),
  ('Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
  (decode(repeat('aa', 20), 'hex'), decode(repeat('dd', 50), 'hex'),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'),
  (decode(repeat('aa', 131), 'hex'), 'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')
) as v (key, content, wanted);

select * from finish();
rollback;
