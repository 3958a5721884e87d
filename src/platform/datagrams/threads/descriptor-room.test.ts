import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDescriptorRoom } from './descriptor-room.ts';

const tableSize = () => Number(/^FDSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
const open = () => readdirSync('/proc/self/fd').length;

test('the table has room for so many descriptors, none stays open, and it is not made larger than may be used', () => {
  const before = open();
  assert.ok(tableSize() < 3_000);
  makeDescriptorRoom(3_000);
  assert.equal(tableSize(), 4_096);
  assert.equal(open(), before);
  makeDescriptorRoom(100);
  assert.equal(tableSize(), 4_096);
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
  const most = Math.min(limit, 32_768);
  makeDescriptorRoom(most === limit ? 8 * limit : most);
  assert.ok(tableSize() >= most && tableSize() < 2 * Math.max(most, 4_096), `${tableSize()} of ${limit}`);
  assert.equal(open(), before);
});
