import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildResponse } from '#protocols/sip';
import { formatAssertedSource } from '#protocols/trust-marking';
import type { AccessRights } from './external-access.ts';
import { request } from './testing/messages.ts';
import { Bench, branched, EDGE, PEER_DOMAIN } from './testing/wire.ts';

const ALICE = 'alice@example.test';
const ROMEO = `romeo@${PEER_DOMAIN}`;
const policies = (federation: boolean, xmpp = federation) => ({
  global: {
    remote: false,
    federation,
    publicProviders: false,
    publicProviderMedia: false,
    xmpp,
  } satisfies AccessRights,
  sites: [],
  users: [],
});

let count = 0;
function sent(sketch: Parameters<typeof request>[0]): Buffer {
  count += 1;
  return branched(request({ callId: `p${count}`, ...sketch }), `p${count}`);
}
const fromRomeo = (method: string) =>
  sent({ method, uri: `sip:${ALICE}`, from: `sip:${ROMEO}`, to: `<sip:${ALICE}>` });
const toRomeo = (method: string) =>
  sent({ method, uri: `sip:${ROMEO}`, from: `sip:${ALICE}`, to: `<sip:${ROMEO}>` });

test('messages pass both ways between a user and a domain of a trusted peer, by the policy of the user', async () => {
  const bench = await Bench.start(policies(true));
  const [alice, peer] = [bench.client().wire, bench.peer()];
  assert.equal(bench.signsIn(alice, ALICE), 200);
  bench.arrives(alice, toRomeo('MESSAGE'));
  assert.equal(peer.request('MESSAGE').uri, `sip:${ROMEO}`);
  bench.arrives(peer, fromRomeo('MESSAGE'));
  assert.equal(alice.request('MESSAGE').from.uri, `sip:${ROMEO}`);
  bench.configure(policies(false));
  bench.arrives(alice, toRomeo('MESSAGE'));
  assert.match(alice.response(403).header('ms-diagnostics-public') ?? '', /^1002;/);
  bench.arrives(peer, fromRomeo('MESSAGE'));
  assert.match(peer.response(404).header('ms-diagnostics-public') ?? '', /^4005;/);
  bench.toEdge.isSilent();
});

test('it takes both rights, for federation and for XMPP [setting frontEnd.externalAccess.global.xmpp] [setting frontEnd.externalAccess.sites[].xmpp] [setting frontEnd.externalAccess.users[].xmpp]', async () => {
  const none: AccessRights = {
    remote: false,
    federation: false,
    xmpp: false,
    publicProviders: false,
    publicProviderMedia: false,
  };
  const both: AccessRights = {
    remote: false,
    federation: true,
    xmpp: true,
    publicProviders: true,
    publicProviderMedia: false,
  };
  const cases: [Parameters<typeof Bench.start>[0], boolean][] = [
    [policies(true, false), false],
    [policies(false, true), false],
    [policies(true, true), true],
    [{ global: none, sites: [{ name: 'Here', ...both }], site: 'Here', users: [] }, true],
    [{ global: both, sites: [{ name: 'Here', ...none }], site: 'Here', users: [] }, false],
    [{ global: none, sites: [], users: [{ user: ALICE, ...both }] }, true],
    [{ global: both, sites: [], users: [{ user: ALICE, ...both, xmpp: false }] }, false],
  ];
  for (const [document, passes] of cases) {
    const bench = await Bench.start(document);
    const [alice, peer] = [bench.client().wire, bench.peer()];
    assert.equal(bench.signsIn(alice, ALICE), 200);
    bench.arrives(alice, toRomeo('MESSAGE'));
    bench.arrives(peer, fromRomeo('MESSAGE'));
    if (passes) {
      peer.request('MESSAGE');
      alice.request('MESSAGE');
    } else {
      alice.response(403);
      peer.response(404);
    }
  }
});

test('while the peer has no connection its domain cannot be reached, and is not looked for outside', async () => {
  const bench = await Bench.start(policies(true));
  const alice = bench.client().wire;
  assert.equal(bench.signsIn(alice, ALICE), 200);
  bench.arrives(alice, toRomeo('MESSAGE'));
  alice.response(503);
  bench.toEdge.isSilent();
});

test('a peer speaks for nobody else: not for our users, not by an edge’s mark, not to partners, and signs nobody in', async () => {
  const bench = await Bench.start(policies(true));
  const peer = bench.peer();
  const mark = formatAssertedSource({ address: ALICE, source: 'remote-user', edge: EDGE });
  const headers = [['Sallyport-Asserted-Source', mark]] as const;
  for (const from of [ALICE, 'bob@partner.example']) {
    const about = { method: 'MESSAGE', uri: `sip:${ALICE}`, from: `sip:${from}`, to: `<sip:${ALICE}>` };
    bench.arrives(peer, sent({ ...about, headers }));
    peer.response(403);
  }
  bench.arrives(peer, sent({ from: `sip:${ALICE}`, headers: [['Contact', '<sip:a@192.0.2.1>']] }));
  peer.response(403);
  bench.arrives(peer, sent({ method: 'MESSAGE', uri: 'sip:bob@partner.example', from: `sip:${ROMEO}` }));
  peer.response(403);
  bench.toEdge.isSilent();
});

test('a call keeps its way: requests of both sides find the other’s connection', async () => {
  const bench = await Bench.start(policies(true));
  const [alice, peer] = [bench.client().wire, bench.peer()];
  assert.equal(bench.signsIn(alice, ALICE), 200);
  bench.arrives(peer, fromRomeo('INVITE'));
  peer.response(100);
  const invite = alice.request('INVITE');
  const routes = invite.values('Record-Route');
  bench.arrives(alice, buildResponse(invite, 200, { toTag: 'a' }));
  peer.response(200);
  const { callId } = invite;
  const about = { callId, headers: [['Route', routes.join(', ')]] as const };
  const alices = { from: `sip:${ALICE}`, to: `<sip:${ROMEO}>;tag=f1`, uri: 'sip:gateway@10.0.0.9' };
  bench.arrives(alice, sent({ ...about, ...alices, method: 'INFO', cseq: 2 }));
  peer.request('INFO');
  const romeos = { from: `sip:${ROMEO}`, to: `<sip:${ALICE}>;tag=a`, uri: 'sip:alice@10.0.0.1' };
  bench.arrives(peer, sent({ ...about, ...romeos, method: 'INFO', cseq: 2 }));
  alice.request('INFO');
  bench.arrives(peer, sent({ ...about, ...romeos, from: 'sip:eve@example.test', method: 'INFO', cseq: 3 }));
  peer.response(403);
  // The peer comes again, by another connection: the dialog is still its own.
  const again = bench.peer();
  bench.arrives(again, sent({ ...about, ...romeos, method: 'INFO', cseq: 4 }));
  alice.request('INFO');
  bench.arrives(alice, sent({ ...about, ...alices, method: 'INFO', cseq: 3 }));
  again.request('INFO');
});

test('BENOTIFY passes in its dialog, and nobody waits for an answer', async () => {
  const bench = await Bench.start(policies(true));
  const [alice, peer] = [bench.client().wire, bench.peer()];
  assert.equal(bench.signsIn(alice, ALICE), 200);
  bench.arrives(alice, toRomeo('SUBSCRIBE'));
  const subscribe = peer.request('SUBSCRIBE');
  const headers = [['Route', subscribe.values('Record-Route').join(', ')]] as const;
  const notify = {
    method: 'BENOTIFY',
    from: `sip:${ROMEO}`,
    to: `<sip:${ALICE}>;tag=f1`,
    uri: 'sip:alice@10.0.0.1',
  };
  bench.arrives(peer, sent({ ...notify, callId: subscribe.callId, headers }));
  alice.request('BENOTIFY');
  bench.passes(60);
  assert.equal(bench.endpoint.transactions.server, 0);
  peer.isSilent();
});
