import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialbackKey } from '../index.ts';
import { isDialbackKey } from './key.ts';

// The example of XEP-0185 §3.
const example = { receiving: 'xmpp.example.com', originating: 'example.org', streamId: 'D60000229F' };
const KEY = '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643';

test('the key of the example of XEP-0185', () => {
  assert.equal(dialbackKey('s3cr3tf0rd14lb4ck', example), KEY);
  assert.equal(isDialbackKey('s3cr3tf0rd14lb4ck', example, KEY), true);
});

test('a key is about one pair of domains and one stream', () => {
  const others = [
    { ...example, receiving: 'other.example' },
    { ...example, originating: 'other.example' },
    { ...example, streamId: 'D60000229E' },
    { receiving: example.originating, originating: example.receiving, streamId: example.streamId },
  ];
  for (const other of others) assert.equal(isDialbackKey('s3cr3tf0rd14lb4ck', other, KEY), false);
  assert.equal(isDialbackKey('another secret', example, KEY), false);
  assert.equal(isDialbackKey('s3cr3tf0rd14lb4ck', example, ''), false);
});
