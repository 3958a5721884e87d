import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSenderRights, parseSenderRights, type SenderRights } from './sender-rights.ts';

test('rights are read as they were written, and what is not understood grants nothing', () => {
  for (let bits = 0; bits < 8; bits++) {
    const rights: SenderRights = {
      federation: (bits & 1) > 0,
      publicProviders: (bits & 2) > 0,
      publicProviderMedia: (bits & 4) > 0,
    };
    assert.deepEqual(parseSenderRights(formatSenderRights(rights)), rights);
  }
  const none = { federation: false, publicProviders: false, publicProviderMedia: false };
  assert.equal(formatSenderRights(none), 'none');
  for (const text of ['', 'none', 'all', 'federation;q=1', '*']) {
    assert.deepEqual(parseSenderRights(text), none, text);
  }
  assert.deepEqual(parseSenderRights(' FEDERATION ,x'), { ...none, federation: true });
});
