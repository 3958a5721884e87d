import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JumpingClock, until } from '#kernel';
import { levelsOf } from '../testing/leftovers.ts';
import { request } from '../testing/messages.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { EDGE, fromAlice, fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';
import { asksForLists, LIST, publishLists } from './testing/revocation-lists.ts';

const HOUR = 3_600_000;

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

async function writes(partner: SipPeer, fe: SipPeer): Promise<void> {
  partner.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await partner.receives(200);
}
async function isWritten(fe: SipPeer, partner: SipPeer | Promise<SipPeer>): Promise<SipPeer> {
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const peer = await partner;
  peer.answers(await peer.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  return peer;
}

test('[S10] the wall clock jumps by hours both ways: partners are spoken with on old and new connections, the revoked one never, and what has run out goes', async (t) => {
  const clock = new JumpingClock();
  clock.ahead = 10 * HOUR;
  // Lists are looked for in this test as often as in an hour of work.
  const { lab, fe } = await startFederation(t, asksForLists, {
    clock,
    revocation: { refreshMs: 20, retryMs: 20 },
  });
  const { revoke } = await publishLists(t, lab);
  const good = await TestPartner.create(t, lab, { lists: [LIST] });
  await good.listen();
  const bad = await TestPartner.create(t, lab, { lists: [LIST] });
  revoke(bad.issued);
  const notAfter = new Date(Date.now() + 15 * HOUR);
  const short = await TestPartner.create(t, lab, { lists: [LIST], notAfter });
  const inbound = await good.dials(lab);
  await writes(inbound, fe);
  const outbound = await isWritten(fe, good.connection());
  for (const hours of [0, 12, -0.5, 5]) {
    clock.ahead = hours * HOUR;
    await lab.commit();
    await writes(inbound, fe);
    await isWritten(fe, outbound);
    const again = await good.dials(lab);
    await writes(again, fe);
    again.ends();
    const refused = await bad.dials(lab);
    refused.sends(request('MESSAGE', ALICE, fromBob()));
    await refused.isClosed();
  }
  outbound.ends();
  // What is sent before the edge has heard of that goes to nobody.
  await until(async () => (await levelsOf(lab)).outbound_connections === 0);
  await isWritten(fe, good.connection());

  const ends = await short.dials(lab);
  await writes(ends, fe);
  clock.ahead = 20 * HOUR;
  await ends.isClosed();
  await writes(inbound, fe);
  const reasons = lab.events
    .take(1000)
    .filter(({ name }) => name.startsWith('partner-connection-'))
    .map(({ fields }) => String(fields.detail));
  assert.equal(reasons.filter((detail) => /revoked/.test(detail)).length, 4);
  assert.match(reasons.at(-1) ?? '', /expired/);
});

test('[S16] how much a discovered partner may do in a second is counted by time that went by, not by the clock of the wall', async (t) => {
  const clock = new JumpingClock();
  const { lab, names, fe } = await startFederation(
    t,
    ({ policy }) => {
      policy.federation.allowed = [];
      Object.assign(policy.federation.discovery, { enabled: true, messagesPerSecond: 1 });
    },
    { clock },
  );
  names.publish(PARTNER.domain, PARTNER.proxy);
  const partner = await TestPartner.create(t, lab);
  const peer = await partner.dials(lab);
  // No time goes by but what the test lets go by.
  const since = clock.now();
  clock.now = () => since + clock.later;
  await writes(peer, fe);
  for (const hours of [5, -5]) {
    clock.ahead = hours * HOUR;
    peer.sends(request('MESSAGE', ALICE, fromBob()));
    await peer.receives(503);
  }
  clock.later = 2000;
  await writes(peer, fe);
  assert.equal(peer.socket.remoteAddress, EDGE.address);
});
