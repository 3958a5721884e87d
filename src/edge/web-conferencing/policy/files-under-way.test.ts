import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ManualClock, ok } from '#kernel';
import type { ContentAnswer } from '#platform/psom-link';
import { FilesUnderWay } from './files-under-way.ts';

/** So many ask from one source at once, and each file stays under way until it is let go. */
function stage() {
  const clock = new ManualClock();
  const files = new FilesUnderWay(clock);
  const bodies: Readable[] = [];
  const fetch = async (): Promise<ContentAnswer> => {
    const body = new Readable({ read() {} });
    bodies.push(body);
    return ok({ type: 'image/png', bytes: 1, name: 'a', body });
  };
  const ask = (source: string) => files.take(source, fetch);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const finish = async () => {
    const body = bodies.shift();
    body?.destroy();
    if (body !== undefined) await once(body, 'close');
    await settle();
  };
  return { clock, bodies, ask, settle, finish };
}

test('an office whose people all ask for the slide that is shown now gets it, a few at a time, and nobody is refused', async () => {
  const { bodies, ask, settle, finish } = stage();
  const answers = Array.from({ length: 250 }, () => ask('192.0.2.1'));
  await settle();
  assert.equal(bodies.length, 64);
  const other = ask('192.0.2.2');
  await settle();
  assert.equal(bodies.length, 65, 'another source does not wait behind them');
  for (let served = 0; served < 251; served++) {
    await finish();
    assert.ok(bodies.length <= 65);
  }
  assert.ok((await Promise.all([...answers, other])).every((answer) => answer.ok));
});

test('who waits too long, and who comes when too many wait, hears that the edge is busy', async () => {
  const { clock, bodies, ask, settle } = stage();
  const answers = Array.from({ length: 64 + 500 }, () => ask('192.0.2.1'));
  await settle();
  assert.deepEqual(await ask('192.0.2.1'), { ok: false, error: 'busy' });
  clock.advance(10_000);
  const all = await Promise.all(answers);
  assert.equal(all.filter(({ ok: good }) => good).length, 64);
  assert.equal(bodies.length, 64);
});

test('a fault of whoever fetches gives the place back', async () => {
  const { ask, bodies, settle } = stage();
  const files = new FilesUnderWay(new ManualClock());
  for (let times = 0; times < 100; times++)
    await assert.rejects(
      files.take('192.0.2.1', () => Promise.reject(new Error('a bug'))),
      /a bug/,
    );
  void ask('192.0.2.1');
  await settle();
  assert.equal(bodies.length, 1);
});
