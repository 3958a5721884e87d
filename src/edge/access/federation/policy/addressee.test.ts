import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressee } from './addressee.ts';

test('RFC 3261 §19.1.4: whom a URI names, however it is written', () => {
  for (const uri of [
    'sip:alice@example.com',
    'SIPS:alice@EXAMPLE.com',
    'sip:Alice@example.com',
    'sip:%61l%69ce@example.com',
    'sip:%41LICE@example.com',
    'sip:alice:secret@example.com',
    'sip:alice@example.com:5061;transport=tls;gruu;opaque=x?Subject=y',
  ])
    assert.equal(addressee(uri), 'alice@example.com', uri);
  assert.equal(addressee('sip:alice%40other.example@example.com'), 'alice@other.example@example.com');
  for (const uri of ['sip:example.com', 'tel:+331', 'sip:@example.com', 'alice@example.com'])
    assert.equal(addressee(uri), undefined, uri);
});
