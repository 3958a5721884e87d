import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ChildProgram } from './testing/child-program.ts';
import { Perimeter } from './testing/perimeter.ts';
import { playSipp } from './testing/sipp.ts';
import { startTlsWrapper } from './testing/tls-wrapper.ts';

/*
 * SIPp as users outside, on the port of clients of the Access Edge (port row ext-05). Debian's speaks no TLS: HAProxy does it
 * for SIPp, and verifies the edge's certificate. What one sends goes in by the edge, and out by the edge to the other. No scenario
 * has its user answer and then ask: an answer and a request may overtake one another, since they share no transaction.
 */
const NETWORK = 86;
const PORT = 5060;
const CALLS = 5;
type User = 'alice' | 'carol';
const other = { alice: 'carol', carol: 'alice' } as const;

let perimeter: Perimeter;
let wrapper: ChildProgram;

before(async () => {
  const accounts = { alice: 'MD5', carol: 'MD5' } as const;
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true, accounts });
  await perimeter.start();
  const { folder, access, names, clients } = perimeter.plan;
  wrapper = await startTlsWrapper({
    folder,
    clients: (['alice', 'carol'] as const).map((name) => ({ name, address: clients[name], port: PORT })),
    server: { ...access, name: names.access },
    authority: perimeter.files.authority,
  });
});
after(async () => {
  await wrapper?.stop();
  await perimeter?.stop();
});

interface Counters {
  readonly requests: { readonly inward: number; readonly outward: number };
  readonly signIns: { readonly accepted: number };
}
async function counters(): Promise<Counters> {
  return (await perimeter.edge.ask('access', 'counters')) as Counters;
}

/** Two users' scenarios side by side, each so many times: whoever waits is signed in before the other begins. */
async function play(waits: string, begins: string, beginner: User): Promise<void> {
  const { folder, domain, clients } = perimeter.plan;
  const waiter = other[beginner];
  const callIds = `${begins}-${beginner}`;
  const start = (scenario: string, user: User) =>
    playSipp({
      ...{ scenario, folder, domain, user, other: other[user], calls: CALLS, callIds },
      ...{ password: perimeter.secrets.passwords[user], address: clients[user] },
      server: `${clients[user]}:${PORT}`,
    });
  const before = (await counters()).signIns.accepted;
  const waiting = start(waits, waiter);
  await perimeter.until(
    `${CALLS} sign-ins`,
    async () => (await counters()).signIns.accepted >= before + CALLS,
  );
  const { clients: open } = (await perimeter.edge.ask('access', 'connections')) as {
    clients: { remote: { address: string }; tls: string; addresses: string[] }[];
  };
  const newest = open.at(-1);
  assert.deepEqual(
    [newest?.remote.address, newest?.tls, newest?.addresses],
    [clients[waiter], 'TLSv1.3', [`${waiter}@${domain}`]],
  );
  const said = await Promise.all([start(begins, beginner), waiting]);
  assert.deepEqual(said, ['', ''], perimeter.logs());
}

describe('SIPp outside, by HAProxy to the port of clients', () => {
  for (const [user, whom] of Object.entries(other) as [User, User][]) {
    test(`registrations with digest, each challenged; ${user} sends MESSAGE to ${whom}`, async () => {
      const before = await counters();
      await play('reader', 'writer', user);
      const { requests, signIns } = await counters();
      assert.equal(signIns.accepted - before.signIns.accepted, 2 * CALLS);
      // REGISTER without and with credentials of both, and the MESSAGE.
      assert.equal(requests.inward - before.requests.inward, 5 * CALLS);
      assert.equal(requests.outward - before.requests.outward, CALLS);
    });

    test(`${user} calls ${whom}: INVITE and ACK, then INFO and BYE of the one who was called`, async () => {
      const before = await counters();
      await play('callee', 'caller', user);
      const { requests } = await counters();
      assert.equal(requests.inward - before.requests.inward, 8 * CALLS);
      assert.equal(requests.outward - before.requests.outward, 4 * CALLS);
    });
  }
});
