import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipFlow } from '#platform/sip-endpoint';
import { ClientConnection } from '../clients/client-connection.ts';
import { fairShare } from './fair-share.ts';
import { type OverloadChange, OverloadControl, type SourceClass } from './overload-control.ts';
import { workOf } from './overload-desk.ts';

/** A process that can do so many requests a second, in turns of 100 ms, and one second after the other. */
class Stage {
  readonly changes: OverloadChange[] = [];
  readonly control = new OverloadControl({ waitMs: 200 }, (change) => this.changes.push(change));
  now = 0;

  /** @returns what was let in of each source in one second, each sending evenly */
  second(
    load: Readonly<Record<string, readonly [SourceClass, number]>>,
    capacity: number,
  ): Record<string, number> {
    const admitted: Record<string, number> = {};
    let work = 0;
    for (let turn = 0; turn < 10; turn++) {
      for (const [source, [kind, rate]] of Object.entries(load)) {
        for (let i = 0; i < rate / 10; i++) {
          if (!this.control.admits('new', kind, source, this.now)) continue;
          admitted[source] = (admitted[source] ?? 0) + 1;
          work += 1;
        }
      }
      this.now += 100;
      // What is more than the capacity has to wait.
      const behind = Math.max(0, work - (capacity * (turn + 1)) / 10) / capacity;
      this.control.handleWait(behind * 1000, this.now - 1);
    }
    return admitted;
  }
}

test('a fair share: who asks for little gets it, the rest is shared', () => {
  assert.equal(fairShare(100, [10, 20, 200, 300]), 35);
  assert.equal(fairShare(100, [10, 20]), Number.POSITIVE_INFINITY);
  assert.equal(fairShare(100, []), Number.POSITIVE_INFINITY);
  assert.equal(fairShare(0, [5]), 0);
});

test('nothing is shed while nobody waits', () => {
  const stage = new Stage();
  for (let i = 0; i < 5; i++) assert.equal(stage.second({ a: ['client', 900] }, 1000).a, 900);
  assert.equal(stage.control.overloaded, false);
  assert.deepEqual(stage.changes, []);
});

test('twice the capacity: about the capacity is let in, and waiting stays bounded; it ends when the load does', () => {
  const stage = new Stage();
  for (let i = 0; i < 10; i++) stage.second({ a: ['client', 2000] }, 1000);
  let admitted = 0;
  for (let i = 0; i < 10; i++) admitted += stage.second({ a: ['client', 2000] }, 1000).a ?? 0;
  assert.ok(admitted > 6000 && admitted < 13_000, String(admitted));
  assert.ok(stage.control.overloaded);
  for (let i = 0; i < 10; i++) stage.second({ a: ['client', 10] }, 1000);
  assert.equal(stage.control.overloaded, false);
  const [first, last] = [stage.changes[0], stage.changes.at(-1)];
  assert.ok(first?.overloaded === true && first.waitedMs > 200);
  assert.ok(last?.overloaded === false && last.shed > 0);
});

test('who floods pays alone: those who ask for little are served', () => {
  const stage = new Stage();
  const load = {
    flood: ['client', 5000],
    anna: ['client', 20],
    ben: ['client', 20],
    partner: ['partner', 200],
    other: ['partner', 30],
  } as const;
  for (let i = 0; i < 3; i++) stage.second(load, 1000);
  for (let i = 0; i < 10; i++) {
    const { anna, ben, partner, other, flood } = stage.second(load, 1000);
    assert.deepEqual({ anna, ben, other }, { anna: 20, ben: 20, other: 30 });
    assert.equal(partner, 200);
    assert.ok((flood ?? 0) < 1700, String(flood));
  }
});

test('requests within dialogs pass until the wait is five times too long', () => {
  const { control } = new Stage();
  control.handleWait(250, 10);
  assert.equal(control.overloaded, false, 'once may be the doing of the host');
  control.handleWait(250, 15);
  assert.equal(control.overloaded, true);
  assert.equal(control.admits('within-dialog', 'client', 'a', 20), true);
  control.handleWait(1500, 30);
  assert.equal(control.admits('within-dialog', 'client', 'a', 40), false);
  assert.equal(control.admits('within-dialog', 'client', 'a', 1100), true);
});

test('a tag or a BYE of a stranger does not pass for work within a dialog', () => {
  const client = new ClientConnection({} as SipFlow, 'token', 0);
  const to = { uri: 'sip:example.com', tag: 'made-up', parameters: new Map() } as never;
  const work = () => ['REGISTER', 'INVITE', 'BYE'].map((method) => workOf({ method, to }, client));
  assert.deepEqual(work(), ['new', 'new', 'new']);
  client.signIn.handleAccepted(
    'alice@example.com',
    { seconds: 60, contacts: [] },
    { messages: 0, bytes: 0 },
    0,
  );
  assert.deepEqual(work(), ['within-dialog', 'within-dialog', 'ends-dialog']);
});

test('shares are of users, and of addresses before sign-in: many connections gain nothing', () => {
  const from = (address: string) => {
    const flow = { connection: { remote: { address, port: 40_001 } } } as SipFlow;
    return new ClientConnection(flow, 'token', 0);
  };
  const connections = [from('203.0.113.7'), from('203.0.113.7')];
  const sources = () => new Set(connections.map(({ party }) => party));
  assert.deepEqual(sources(), new Set(['203.0.113.7']));
  assert.equal(from('2001:db8:1:2::1').party, from('2001:db8:1:2::2').party);
  for (const { signIn } of connections)
    signIn.handleAccepted('alice@example.com', { seconds: 60, contacts: [] }, { messages: 1, bytes: 1 }, 0);
  assert.deepEqual(sources(), new Set(['alice@example.com']));
});
