import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { AccessLab } from '../testing/lab.ts';
import { CHALLENGE, registerWithCredentials, signIn } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';

/** Hosts of one /64, as an attacker with an ordinary line has them by the billion. */
const HOSTS = ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::9', '2001:db8:0:1:8:7:6:5'];
const [FIRST = '', SECOND = '', THIRD = '', FOURTH = ''] = HOSTS;
const NETWORK = '2001:db8:0:1::/64';
const NEIGHBOUR = '2001:db8:0:2::1';

async function guesses(client: SipPeer, fe: SipPeer, user: string): Promise<void> {
  client.sends(registerWithCredentials(user));
  fe.answers(await fe.receivesRequest('REGISTER'), 401, { headers: [['WWW-Authenticate', CHALLENGE]] });
  await client.receives(401);
  client.ends();
}
const from = (lab: AccessLab, address: string) => {
  lab.seenFrom = address;
  return lab.client();
};
const blocks = async (lab: AccessLab) => {
  const listed = (await lab.service.verbs.blocks?.({})) as { blocks: { source: string; account?: string }[] };
  return listed.blocks.map(({ source, account }) => [source, account]);
};

test('S8: the connections of a /64 are one source’s, before any handshake; those of the next /64 are another’s', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => Object.assign(policy.limits.access, { connectionsPerSource: 2 }),
  });
  const fe = await lab.frontEnds[0].connection();
  const one = await from(lab, FIRST);
  await from(lab, SECOND);
  await assert.rejects(from(lab, THIRD));
  await assert.rejects(from(lab, FOURTH));
  assert.match(await lab.metrics.text(), /refused_total\{[^}]*"too-many-from-source"[^}]*\} 2/);
  await signIn(await from(lab, NEIGHBOUR), fe, 'carol');
  // IPv4 as a socket of both families shows it is IPv4.
  await from(lab, '::ffff:192.0.2.1');
  await from(lab, '192.0.2.1');
  await assert.rejects(from(lab, '::ffff:192.0.2.1'));
  one.ends();
  await signIn(await opens(() => from(lab, THIRD)), fe, 'alice');
});

/** Until the edge has noticed that another connection has ended. */
async function opens(connect: () => Promise<SipPeer>): Promise<SipPeer> {
  for (;;) {
    const client = await connect().catch(() => undefined);
    if (client !== undefined) return client;
  }
}

test('S14: failures of a /64 are counted together, for an account and for all, and lifted together', async (t) => {
  const change = ({ policy }: EdgeDocument) =>
    Object.assign(policy.remoteAccess.guard, {
      ...{ slowMilliseconds: 0, failuresPerAccount: 3, failuresPerSource: 5 },
    });
  const lab = await AccessLab.start(t, { change });
  const fe = await lab.frontEnds[0].connection();
  for (const host of [FIRST, SECOND, THIRD]) await guesses(await from(lab, host), fe, 'alice');
  const refused = await from(lab, FOURTH);
  refused.sends(registerWithCredentials('alice'));
  await refused.receives(403);
  refused.ends();
  await guesses(await from(lab, NEIGHBOUR), fe, 'alice');
  assert.deepEqual(await blocks(lab), [[NETWORK, 'alice@example.com']]);
  for (const host of [FOURTH, FIRST]) await guesses(await from(lab, host), fe, `any-${host.length}`);
  for (const host of HOSTS) await assert.rejects(from(lab, host), 'not even shaken hands with');
  assert.deepEqual(await blocks(lab), [
    [NETWORK, undefined],
    [NETWORK, 'alice@example.com'],
  ]);
  await guesses(await from(lab, NEIGHBOUR), fe, 'bob');
  const lines = lab.log.lines.filter(({ event }) => event === 'source refused');
  assert.deepEqual(
    lines.map(({ remote, rule }) => [remote, rule]),
    [
      [THIRD, 'blocked-pair'],
      [FIRST, 'blocked-source'],
    ],
  );
  assert.deepEqual(await lab.service.verbs.unblock?.({ source: NEIGHBOUR }), { lifted: 0 });
  assert.deepEqual(await lab.service.verbs.unblock?.({ source: SECOND }), { lifted: 2 });
  await guesses(await from(lab, FOURTH), fe, 'alice');
});
