import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { TestDialog } from './testing/dialog.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

const CONNECTIONS = 2000;
const CALLS = 200;
const RELOADS = 10;
/** Connections that are opened side by side. */
const AT_ONCE = 20;

test('certificates, partner lists and limits change while 200 calls and 2,000 connections stay up: not one message is lost', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ host, policy }) => {
      host.partnerCa = host.internalCa;
      policy.features.federation = true;
      // One process plays everybody and has more to do than the edge: no load is to be shed for that.
      const patient = {
        connections: 5000,
        connectionsPerSource: 5000,
        overloadMs: 10_000,
        handshakeSeconds: 60,
      };
      Object.assign(policy.limits.access, patient);
      policy.limits.access.preSignIn.seconds = 600;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  fe.answersProbes = true;
  const clients: SipPeer[] = [];
  while (clients.length < CONNECTIONS) {
    clients.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => lab.client()))));
  }
  const calls: { readonly client: SipPeer; readonly dialog: TestDialog }[] = [];
  for (const [index, client] of clients.slice(0, CALLS).entries()) {
    const user = `user${index}`;
    await signIn(client, fe, user);
    TestDialog.begins(client, user, 'INVITE', `call-${index}`);
    const invite = await fe.receivesRequest('INVITE');
    fe.sends(TestDialog.answer(invite, 200));
    const dialog = new TestDialog([client, fe], user, invite, await client.receives(200), 'bob');
    await dialog.outsideSends('ACK', { CSeq: '1 ACK' });
    calls.push({ client, dialog });
  }

  let over = false;
  const reloads = async (): Promise<void> => {
    const { policy } = lab.document;
    for (let round = 0; round < RELOADS; round++) {
      await lab.issueExternal();
      policy.federation.allowed = [
        { domain: `p${round}.example`, proxy: undefined, verification: 'use-source' },
      ];
      policy.limits.access.handshakes = 200 + round;
      policy.limits.access.messageBytes = 65_536 + round;
      await lab.commit();
    }
    over = true;
  };
  // Every call goes on speaking in both directions for as long as the document changes; each message is awaited.
  let messages = 0;
  const speak = async (): Promise<void> => {
    for (let round = 0; !over || round === 0; round++) {
      for (const { dialog } of calls) {
        await dialog.outsideAsks('INFO');
        await dialog.insideAsks('INFO');
        messages += 4;
      }
    }
  };
  await Promise.all([reloads(), speak()]);
  assert.ok(messages >= 4 * CALLS);
  for (const { dialog } of calls) await dialog.outsideAsks('BYE');

  const old = clients.filter(({ socket }) => socket.destroyed || !socket.writable);
  assert.equal(old.length, 0, 'no connection was closed');
  const [first, last] = [clients[CALLS], clients.at(-1)];
  for (const client of [first, last]) {
    assert.ok(client !== undefined);
    client.sends(
      request('MESSAGE', 'sip:bob@example.com', { Via: `SIP/2.0/TLS h;branch=z9hG4bKl${client === last}` }),
    );
    const arrived: SipRequest = await fe.receivesRequest('MESSAGE');
    fe.answers(arrived, 200);
    await client.receives(200);
  }
  // And what is new is served under the new document.
  const newcomer = await lab.client();
  assert.notEqual(
    newcomer.socket.getPeerCertificate().fingerprint256,
    first?.socket.getPeerCertificate().fingerprint256,
  );
});
