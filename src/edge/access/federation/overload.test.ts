import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { busy } from '../testing/busy.ts';
import { request } from '../testing/messages.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { fromBob, startFederation, TestPartner } from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const SECOND = { domain: 'second.example', proxy: 'sip.second.example', address: '127.0.9.42' };

type AccessLimits = EdgeDocument['policy']['limits']['access'];

/** A federation with two partners that are listed. */
function startWithSecond(t: TestContext, change: (limits: AccessLimits) => void) {
  return startFederation(t, ({ policy }) => {
    change(policy.limits.access);
    policy.federation.allowed.push({
      domain: SECOND.domain,
      proxy: SECOND.proxy,
      verification: 'use-source',
    });
  });
}

test('while messages wait too long the partner that floods is refused, and the one that asks for little is served', async (t) => {
  const { lab, fe } = await startWithSecond(t, (limits) => {
    limits.overloadMs = 20;
  });
  const flood = await (await TestPartner.create(t, lab)).dials(lab);
  const partner = await TestPartner.create(t, lab, { hosts: [SECOND.proxy] });
  const modest = await partner.dials(lab, SECOND.address);
  const says = (subject: string) => request('MESSAGE', ALICE, fromBob({ Subject: subject }));
  const saysLittle = () => {
    const Via = String(fromBob().Via).replace('sip.partner.example', SECOND.proxy);
    const From = `<sip:dave@${SECOND.domain}>;tag=d`;
    return request('MESSAGE', ALICE, fromBob({ Via, From, Subject: 'little' }));
  };
  // Whom the two speak for is known from then on.
  flood.sends(says('first'));
  modest.sends(saysLittle());
  const count = ({ shown }: SipPeer, what: RegExp): number => shown.match(what)?.length ?? 0;
  const served = (subject: string) => count(fe, new RegExp(`^Subject: ${subject}\r$`, 'gm'));
  const refused = (peer: SipPeer) => count(peer, /^SIP\/2.0 503/gm);
  await until(() => served('first') === 1 && served('little') === 1);
  await busy(60);
  await busy(60);
  /** For a second: the one asks for more than there is, the other for little. What each was refused. */
  const second = async (): Promise<{ much: number; little: number }> => {
    const before = { much: refused(flood), little: refused(modest) };
    for (let turn = 0; turn < 20; turn++) {
      for (let sent = 0; sent < 60; sent++) flood.sends(says('much'));
      if (turn % 2 === 0) modest.sends(saysLittle());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { much: refused(flood) - before.much, little: refused(modest) - before.little };
  };
  // Shares are made of what was asked in the second before; later the limit rises, until there is nothing to share.
  const seconds: { much: number; little: number }[] = [];
  const isFair = () => seconds.some(({ much, little }) => much > 600 && little === 0);
  while (!isFair() && seconds.length < 5) seconds.push(await second());
  assert.ok(isFair(), JSON.stringify(seconds));
  assert.match(flood.shown, /^Retry-After: 5\r$/m);
  assert.ok(lab.events.take(1000).some(({ name }) => name === 'access-overloaded'));
});

test('a partner that never acknowledges, by two connections, fills the table for no other partner', async (t) => {
  const { lab, fe } = await startWithSecond(t, (limits) => {
    limits.transactions = 100;
  });
  const partner = await TestPartner.create(t, lab);
  const floods = [await partner.dials(lab), await partner.dials(lab)];
  const modest = await (await TestPartner.create(t, lab, { hosts: [SECOND.proxy] })).dials(
    lab,
    SECOND.address,
  );
  fe.automaton = (message) => {
    if (message.kind === 'request' && message.method !== 'ACK')
      fe.answers(message, message.method === 'INVITE' ? 486 : 202);
  };
  for (const flood of floods) {
    for (let call = 0; call < 60; call++) flood.sends(request('INVITE', ALICE, fromBob()));
  }
  const counted = (status: number) =>
    floods.reduce((sum, { shown }) => sum + shown.split(`SIP/2.0 ${status} `).length - 1, 0);
  await until(() => counted(486) + counted(503) === 120);
  assert.equal(counted(486), 44);
  const Via = String(fromBob().Via).replace('sip.partner.example', SECOND.proxy);
  modest.sends(request('MESSAGE', ALICE, fromBob({ Via, From: `<sip:dave@${SECOND.domain}>;tag=d` })));
  await modest.receives(202);
});
