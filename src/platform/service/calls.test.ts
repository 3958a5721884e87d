import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ManualClock, ok } from '#kernel';
import { Calls } from './calls.ts';
import { memoryChannel } from './channel.ts';
import { forwardLines } from './lines.ts';

test('a call ends by its reply, its deadline or the end of the service, and only so many wait', async () => {
  const clock = new ManualClock();
  const calls = new Calls(memoryChannel().supervisor, clock, 3);
  const answered = calls.call({ action: 'health' }, 100);
  const late = calls.call({ action: 'health' }, 100);
  const orphaned = calls.call({ action: 'health' }, 1000);
  const refused = await calls.call({ action: 'health' }, 100);
  assert.equal(refused.ok ? '' : refused.error.message.includes('too many calls'), true);
  calls.settle(0, ok('fine'));
  calls.settle(0, ok('twice'));
  assert.deepEqual(await answered, { ok: true, value: 'fine' });
  clock.advance(100);
  const lateOutcome = await late;
  assert.equal(lateOutcome.ok ? '' : lateOutcome.error.code, 'SLP-SVC-0009');
  calls.close();
  const orphanedOutcome = await orphaned;
  assert.equal(orphanedOutcome.ok ? '' : orphanedOutcome.error.code, 'SLP-SVC-0001');
  assert.equal((await calls.call({ action: 'health' }, 100)).ok, false);
});

test('lines are joined across chunks, cut at the limit, and the last needs no newline', async () => {
  const lines: string[] = [];
  const stream = Readable.from([
    Buffer.from('on'),
    Buffer.from([0x65, 0x0a, 0xc3]),
    Buffer.from([0xa4, 0x0a]),
    'toolong\nend',
  ]);
  forwardLines(stream, 4, (line) => lines.push(line));
  await new Promise((resolve) => stream.on('end', resolve));
  assert.deepEqual(lines, ['one', 'ä', 'tool', 'end']);
});
