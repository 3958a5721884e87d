import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionWindow, sessionOptions, streamWindow } from './link-transport.ts';

test('the window of a link holds those of all its streams, however many a document allows', () => {
  for (const streams of [1, 1256, 8191, 8256, 100_000]) {
    const limits = { streams, outboundBytes: 1, establishmentMs: 1, pingMs: 1 };
    const { settings } = sessionOptions(limits);
    assert.equal(settings.maxConcurrentStreams, streams);
    assert.ok(connectionWindow(limits) >= streams * settings.initialWindowSize, `${streams}`);
    assert.ok(connectionWindow(limits) <= 2 ** 31 - 1, `${streams}`);
    assert.ok(streamWindow(limits) > 16_384, `${streams}`);
  }
});
