import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composePresence, offlinePresence } from './index.ts';
import type { PresenceDocument } from './presence-document.ts';

const document = (change: Partial<PresenceDocument>): PresenceDocument => ({
  entity: 'sip:device@example.com',
  tuples: [],
  notes: [],
  activities: [],
  ...change,
});
const tuple = (id: string) => ({ id, basic: 'open' as const, notes: [] });

test('every device keeps its tuples, and ids stay unique', () => {
  const sources = [
    { name: 'desk', document: document({ tuples: [tuple('t'), tuple('u')] }) },
    { name: 'mobile', document: document({ tuples: [tuple('t'), tuple('mobile.t')] }) },
    { name: 'mobile', document: document({ tuples: [tuple('t')] }) },
  ];
  const { entity, tuples } = composePresence('sip:a@example.com', sources);
  assert.equal(entity, 'sip:a@example.com');
  assert.deepEqual(
    tuples.map(({ id }) => id),
    ['t', 'u', 'mobile.t', 'mobile.mobile.t', 'mobile.t.2'],
  );
});

test('what concerns the person is taken from the newest source that says something', () => {
  const { notes, activities } = composePresence('sip:a@example.com', [
    { name: 'newest', document: document({ notes: [{ text: 'new' }] }) },
    { name: 'older', document: document({ notes: [{ text: 'old' }], activities: ['meeting'] }) },
  ]);
  assert.deepEqual([notes, activities], [[{ text: 'new' }], ['meeting']]);
});

test('somebody offline has one closed tuple', () => {
  assert.deepEqual(offlinePresence('sip:a@example.com').tuples, [
    { id: 'offline', basic: 'closed', notes: [] },
  ]);
});
