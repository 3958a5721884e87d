import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ManualClock, ok, type Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { Reached } from '#platform/partner-dial';
import type { SipFlow } from '#platform/sip-endpoint';
import { type LinkFailure, PartnerLink } from './partner-link.ts';

type Outcome = Result<Reached<Connection>, LinkFailure>;

/** A link whose dials end when the test says so. */
function bench() {
  const dials: ((outcome: Outcome) => void)[] = [];
  const closed: (() => void)[] = [];
  const clock = new ManualClock();
  const link = new PartnerLink({
    clock,
    dial: () => new Promise((resolve) => dials.push(resolve)),
    adopt: (_connection, told) => {
      const flow = { open: true, messages: 1, connection: { queued: 0 } } as unknown as SipFlow;
      closed.push(() => told(flow));
      return flow;
    },
    close: () => {},
  });
  const told: string[] = [];
  const ask = () =>
    link.reach(
      2,
      () => told.push('use'),
      ({ reason }) => told.push(reason),
    );
  return { clock, link, dials, closed, told, ask };
}
const target = { host: 'sip.partner.example' };
const reached = ok({ value: {}, target, missed: [] } as unknown as Reached<Connection>);
const unreachable = err<LinkFailure>({ reason: 'partner-unreachable', detail: 'refused' });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The only connection has ended while another server was dialled for a request that got a 503; somebody else waits. */
async function waitingForOther() {
  const all = bench();
  all.ask();
  all.dials[0]?.(reached);
  await turn();
  const other = all.link.reachOther(2, new Set(['sip.partner.example']));
  all.closed[0]?.();
  all.ask();
  assert.deepEqual(all.told, ['use'], 'the second waits');
  return { ...all, other };
}

test('who waits while only another server is dialled gets that connection', async () => {
  const { dials, told, other } = await waitingForOther();
  dials[1]?.(reached);
  assert.notEqual(await other, undefined);
  assert.deepEqual(told, ['use', 'use']);
});

test('who waits while only another server is dialled, in vain, gets a connection of its own', async () => {
  const { dials, told, other } = await waitingForOther();
  dials[1]?.(unreachable);
  assert.equal(await other, undefined);
  assert.equal(dials.length, 3);
  dials[2]?.(reached);
  await turn();
  assert.deepEqual(told, ['use', 'use']);
});

test('another server that cannot be reached is not dialled again for every request that gets a 503', async () => {
  const { clock, link, dials, ask } = bench();
  ask();
  dials[0]?.(reached);
  await turn();
  const avoid = new Set(['sip.partner.example']);
  for (const pause of [1000, 2000]) {
    const before = dials.length;
    const other = link.reachOther(3, avoid);
    dials.at(-1)?.(unreachable);
    assert.equal(await other, undefined);
    assert.equal(await link.reachOther(3, avoid), undefined);
    assert.equal(dials.length, before + 1, 'it was tried a moment ago');
    clock.advance(pause);
  }
  const other = link.reachOther(3, avoid);
  dials.at(-1)?.(reached);
  assert.notEqual(await other, undefined);
});

test('a connection on which nothing was heard takes nothing new, whatever document comes', async () => {
  const { link, dials, told, ask } = bench();
  ask();
  dials[0]?.(reached);
  await turn();
  const [dead] = link.flows();
  assert.ok(dead !== undefined);
  link.taken(dead);
  link.handleSilence(dead);
  link.trim(4);
  ask();
  assert.deepEqual(told, ['use'], 'the second waits for another one');
  // The only host there is, is tried all the same.
  dials[1]?.(unreachable);
  await turn();
  dials[2]?.(reached);
  await turn();
  assert.deepEqual(told, ['use', 'use']);
});
