import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, failure, ManualClock, ok, type Result } from '#kernel';
import type { Endpoint } from '../endpoint.ts';
import { race } from './race.ts';

const at = (address: string): Endpoint => ({ address, port: 1 });

/** Attempts that the test settles itself. */
function attempts() {
  const started: { address: string; signal: AbortSignal; settle: (result: Result<string>) => void }[] = [];
  const attempt = (endpoint: Endpoint, signal: AbortSignal) =>
    new Promise<Result<string>>((settle) => started.push({ address: endpoint.address, signal, settle }));
  return { started, attempt };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('the first to succeed wins, the others are told to stop, and a late winner is given back', async () => {
  const clock = new ManualClock();
  const { started, attempt } = attempts();
  const discarded: string[] = [];
  const result = race({
    sources: [Promise.resolve([at('2001:db8::1')]), Promise.resolve([at('192.0.2.1')])],
    attempt,
    discard: (value) => discarded.push(value),
    clock,
  });
  await settled();
  clock.advance(250);
  assert.deepEqual(
    started.map(({ address }) => address),
    ['2001:db8::1', '192.0.2.1'],
  );
  started[1]?.settle(ok('four'));
  assert.deepEqual(await result, ok('four'));
  assert.equal(started[0]?.signal.aborted, true);
  started[0]?.settle(ok('six'));
  await settled();
  assert.deepEqual(discarded, ['six']);
});

test('a race without winner has the failures of all; one without addresses has none', async () => {
  const { started, attempt } = attempts();
  const clock = new ManualClock();
  const result = race({
    sources: [Promise.resolve([at('192.0.2.1'), at('192.0.2.2')])],
    attempt,
    discard: () => {},
    clock,
  });
  await settled();
  started[0]?.settle(err(failure('SLP-NET-0010', 'one')));
  await settled();
  started[1]?.settle(err(failure('SLP-NET-0012', 'two')));
  const lost = await result;
  assert.deepEqual(!lost.ok && lost.error.failures.map(({ code }) => code), ['SLP-NET-0010', 'SLP-NET-0012']);
  const nobody = await race({ sources: [Promise.resolve([])], attempt, discard: () => {}, clock });
  assert.deepEqual(!nobody.ok && nobody.error.failures, []);
});

test('who gives up ends every attempt', async () => {
  const { started, attempt } = attempts();
  const caller = new AbortController();
  const result = race({
    sources: [Promise.resolve([at('192.0.2.1')])],
    attempt,
    discard: () => {},
    clock: new ManualClock(),
    signal: caller.signal,
  });
  await settled();
  caller.abort();
  assert.equal((await result).ok, false);
  assert.equal(started[0]?.signal.aborted, true);
});
