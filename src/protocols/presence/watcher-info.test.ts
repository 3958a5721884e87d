import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  readWatcherInfo,
  WATCHER_INFO_TYPE,
  type Watcher,
  type WatcherInfo,
  writeWatcherInfo,
} from './index.ts';
import { watcherEvents, watcherStatuses } from './watcher-info.ts';

const info = (watchers: readonly Watcher[]): WatcherInfo => ({
  ...{ version: 0, state: 'full', resource: 'sip:prof@example.net', package: 'presence' },
  watchers,
});

test('RFC 3858: a list of watchers with their status, and what brought them there', () => {
  const read = readWatcherInfo(
    Buffer.from(`<?xml version="1.0"?>
      <w:watcherinfo xmlns:w="urn:ietf:params:xml:ns:watcherinfo" version="7" state="partial">
        <w:watcher-list resource="sip:prof@example.net" package="presence">
          <w:watcher status="active" id="a1" duration-subscribed="509" event="approved">sip:userA@example.net</w:watcher>
          <w:watcher status="pending" id="b2" display-name="B" expiration="20" event="subscribe"> sip:userB@example.org
          </w:watcher>
        </w:watcher-list>
      </w:watcherinfo>`),
  );
  assert.deepEqual(read, {
    ok: true,
    value: {
      ...{ version: 7, state: 'partial', resource: 'sip:prof@example.net', package: 'presence' },
      watchers: [
        { uri: 'sip:userA@example.net', id: 'a1', status: 'active', event: 'approved', subscribed: 509 },
        { uri: 'sip:userB@example.org', id: 'b2', status: 'pending', event: 'subscribe', expiration: 20 },
      ],
    },
  });
});

test('every status and event is written and read again', () => {
  for (const status of watcherStatuses)
    for (const event of watcherEvents) {
      const original = info([{ uri: 'sip:a@b', id: 'x', status, event, expiration: 9 }]);
      assert.deepEqual(readWatcherInfo(writeWatcherInfo(original)), { ok: true, value: original });
    }
});

test('what breaks the schema is refused, by name', () => {
  const problem = (text: string) => {
    const read = readWatcherInfo(Buffer.from(text));
    return read.ok ? 'none' : read.error;
  };
  const good = writeWatcherInfo(
    info([{ uri: 'sip:a@b', id: 'x', status: 'active', event: 'approved' }]),
  ).toString();
  assert.equal(problem(good), 'none');
  assert.equal(problem(good.replace('urn:ietf', 'urn:other')), 'not-watcherinfo');
  assert.equal(problem(good.replace('version="0"', 'version="-1"')), 'not-watcherinfo');
  assert.equal(problem(good.replace('state="full"', 'state="half"')), 'not-watcherinfo');
  assert.equal(problem(good.replace(/<watcher-list.*<\/watcher-list>/, '')), 'watcher-list');
  assert.equal(problem(good.replace(/(<watcher-list.*<\/watcher-list>)/, '$1$1')), 'watcher-list');
  assert.equal(problem(good.replace('active', 'asleep')), 'watcher');
  assert.equal(problem(good.replace('sip:a@b', '')), 'watcher');
});

test('the media type is the registered one', () => {
  assert.equal(WATCHER_INFO_TYPE, 'application/watcherinfo+xml');
});
