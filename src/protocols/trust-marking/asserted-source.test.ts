import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAssertedSource, parseAssertedSource } from './asserted-source.ts';

test('a mark that an edge writes is read back', () => {
  const mark = { address: 'alice@example.test', source: 'remote-user', edge: 'edge1.int.test' } as const;
  assert.deepEqual(parseAssertedSource(formatAssertedSource(mark)), mark);
});

test('what an edge would not write is no mark', () => {
  for (const text of [
    '',
    'alice@example.test',
    '<sip:alice@example.test>',
    '<sip:alice@example.test>;source=remote-user',
    '<sip:alice@example.test>;source=partner;edge=e',
    '<tel:+331>;source=remote-user;edge=e',
  ]) {
    assert.equal(parseAssertedSource(text), undefined, text);
  }
});
