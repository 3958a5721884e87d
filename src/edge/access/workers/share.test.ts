import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accessSettings } from '../settings.ts';
import { testDocument } from '../testing/document.ts';
import { shareOf } from './share.ts';

test('the shares of all workers are the limit, and differ by one at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 16, max: 1_000_000 }), (count, total) => {
      const shares = Array.from({ length: count }, (_, index) => shareOf(total, { index, count }));
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        total,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }),
  );
  assert.equal(shareOf(1, { index: 1, count: 2 }), 1, 'one that may have none could not serve at all');
});

test('what limits the whole service is shared out, what limits one source or one message is not', () => {
  const { limits, remoteAccess } = accessSettings(testDocument(), { index: 0, count: 2 });
  const whole = testDocument().policy;
  assert.deepEqual(
    [limits.connections, limits.handshakes, limits.transactions, remoteAccess.guests.connections],
    [500, 32, 5000, whole.remoteAccess.guests.connections / 2],
  );
  assert.equal(limits.connectionsPerSource, whole.limits.access.connectionsPerSource);
  assert.equal(limits.messageBytes, whole.limits.access.messageBytes);
});
