import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { request } from '../testing/messages.ts';
import { contactOf, passOn, signIn } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { startTeam } from './testing/team.ts';

const GROUP = 'sip:group@example.com';

test('a loop by way of two workers is found by the one that it comes back to: each reads what the other wrote', async (t) => {
  const [one, two] = await startTeam(t);
  const [bob, carol] = [await one.lab.client(), await two.lab.client()];
  const paths = { bob: await signIn(bob, one.fe, 'bob'), carol: await signIn(carol, two.fe, 'carol') };
  let branches = 0;
  /** The next hop sends to a client, by the connection of its worker. */
  const inside = (fe: SipPeer, received: SipRequest, user: 'bob' | 'carol') => {
    branches += 1;
    const copy = passOn(received, contactOf(user), paths[user]).toString();
    fe.sends(copy.replace('=z9hG4bKfe1', `=z9hG4bKinside${branches}`));
  };
  /** A client forwards what it got to the group; gives what arrives inside. */
  const forwards = async (client: SipPeer, fe: SipPeer): Promise<SipRequest> => {
    const received = await client.receivesRequest('MESSAGE');
    branches += 1;
    const Via = [`SIP/2.0/TLS h;branch=z9hG4bKclient${branches}`, ...received.values('Via')];
    const { callId } = received;
    client.sends(request('MESSAGE', GROUP, { From: received.header('From'), 'Call-ID': callId, Via }));
    return await fe.receivesRequest('MESSAGE');
  };
  bob.sends(request('MESSAGE', GROUP));
  inside(one.fe, await one.fe.receivesRequest('MESSAGE'), 'bob');
  const byOne = await forwards(bob, one.fe);
  assert.match(byOne.vias()[2]?.branch ?? '', /^z9hG4bKw0\.[a-z2-7]{12}\d+-[0-9a-f]{16}$/);
  inside(two.fe, byOne, 'carol');
  const byTwo = await forwards(carol, two.fe);
  assert.match(byTwo.vias()[2]?.branch ?? '', /^z9hG4bKw1\.[a-z2-7]{12}\d+(-[0-9a-f]{16}){2}$/);
  inside(one.fe, byTwo, 'bob');
  await one.fe.receives(482);
  inside(two.fe, byTwo, 'carol');
  await two.fe.receives(482);
});
