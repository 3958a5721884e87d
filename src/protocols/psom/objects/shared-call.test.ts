import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOperation } from '../framing/operations.ts';
import { poll } from '../meeting/poll.ts';
import { SharedCall } from './shared-call.ts';

test('those who know an object by the same identifier share a frame, and however many there are each has its own', () => {
  const call = new SharedCall(poll, 'cSetOpen', [true]);
  const frames = Array.from({ length: 20 }, (_, index) => call.frame(2 * index + 1));
  for (const [index, frame] of frames.entries()) {
    const said = decodeOperation(frame.subarray(2));
    assert.equal(said?.kind === 'call' && said.proxy, 2 * index + 1);
    assert.equal(frame.length, call.length);
  }
  assert.equal(call.frame(1), frames[0]);
});
