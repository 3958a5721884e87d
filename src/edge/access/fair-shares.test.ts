import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '#kernel';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

const BODY = 'x'.repeat(30_000);

let requests = 0;
/** Each is a request of its own. @param tag of a dialog that it claims to belong to */
function of(user: string, method: string, { tag, body = '' }: { tag?: string; body?: string } = {}): Buffer {
  requests += 1;
  const fields = {
    Via: `SIP/2.0/TLS h;branch=z9hG4bKshare${requests}`,
    From: `<sip:${user}@example.com>;tag=${user}`,
    To: `<sip:dan@example.com>${tag === undefined ? '' : `;tag=${tag}`}`,
    'Call-ID': `share-${requests}`,
    CSeq: `1 ${method}`,
  };
  return request(method, 'sip:dan@example.com', fields, body);
}

/** The front end answers everything with one status, and INVITEs with another. */
function answers(fe: SipPeer, { invite }: { invite: number }): void {
  fe.automaton = (message) => {
    if (message.kind !== 'request' || message.method === 'ACK') return;
    fe.answers(message, message.method === 'INVITE' ? invite : 202);
  };
}

test('who never acknowledges, by several connections, fills the table for nobody else', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.transactions = 100;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const eve = [await lab.client(), await lab.client(), await lab.client()];
  for (const each of eve) await signIn(each, fe, 'eve');
  const alice = await lab.client();
  await signIn(alice, fe, 'alice');
  answers(fe, { invite: 486 });
  for (const each of eve) for (let call = 0; call < 60; call++) each.sends(of('eve', 'INVITE'));
  const counted = (status: number) =>
    eve.reduce((sum, { shown }) => sum + shown.split(`SIP/2.0 ${status} `).length - 1, 0);
  await until(() => counted(486) + counted(503) === 180);
  assert.equal(counted(486), 44);
  for (const [method, tag] of [['MESSAGE'], ['BYE', 'her-call'], ['UPDATE', 'her-call']] as const) {
    alice.sends(of('alice', method, tag === undefined ? {} : { tag }));
    await alice.receives(202);
  }
});

test('who writes more than the next hop reads, ACKs that nobody asked for included, makes nobody else wait for room', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const [eve, alice] = [await lab.client(), await lab.client()];
  await signIn(eve, fe, 'eve');
  await signIn(alice, fe, 'alice');
  fe.socket.pause();
  const refused = async () => {
    const text = await lab.metrics.text();
    return Number(/refusals_total\{[^}]*"next-hop-busy"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  for (let turn = 0; (await refused()) < 20; turn++) {
    assert.ok(turn < 2000, 'never busy');
    eve.sends(of('eve', turn % 2 === 0 ? 'ACK' : 'MESSAGE', { tag: 'no-call', body: BODY }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [method, tag] of [['MESSAGE'], ['BYE', 'her-call'], ['UPDATE', 'her-call']] as const) {
    alice.sends(of('alice', method, tag === undefined ? {} : { tag }));
  }
  // What is refused would be by the time that the edge answers for itself.
  alice.sends(request('OPTIONS', 'sip:sip.example.com', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKlast' }));
  await alice.receives(200);
  await eve.receives(503);
  answers(fe, { invite: 486 });
  fe.socket.resume();
  for (let answer = 0; answer < 3; answer++) await alice.receives(202);
});
