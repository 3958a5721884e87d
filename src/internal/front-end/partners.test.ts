import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildResponse } from '#protocols/sip';
import { formatAssertedSource, type SourceKind } from '#protocols/trust-marking';
import type { AccessRights, ExternalAccess } from './external-access.ts';
import { request } from './testing/messages.ts';
import { Bench, branched, EDGE } from './testing/wire.ts';

const ALICE = 'alice@example.test';
const CAROL = 'carol@example.test';
const BOB = 'bob@partner.example';
const neither: AccessRights = {
  remote: false,
  federation: false,
  xmpp: false,
  publicProviders: false,
  publicProviderMedia: false,
};
const federated: AccessRights = {
  remote: false,
  federation: true,
  xmpp: false,
  publicProviders: true,
  publicProviderMedia: false,
};
type Document = ConstructorParameters<typeof ExternalAccess>[0];
const policies = (change: Partial<Document>): Document => ({
  global: neither,
  sites: [],
  users: [],
  ...change,
});

let count = 0;
function unique(): string {
  count += 1;
  return `p${count}`;
}

/** A message of bob, as the edge brings it. */
function fromBob(to: string, source: SourceKind = 'federated', about = BOB) {
  const mark = formatAssertedSource({ address: about, source, verified: true, edge: EDGE });
  const headers = [['Sallyport-Asserted-Source', mark]] as const;
  const sketch = { method: 'MESSAGE', uri: `sip:${to}`, from: `sip:${BOB}`, to: `<sip:${to}>`, headers };
  return branched(request({ ...sketch, callId: unique() }), unique());
}

/** Whether the policies let alice and bob exchange messages; both directions agree. */
async function exchange(document: Document): Promise<boolean> {
  const bench = await Bench.start(document);
  const { wire } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const message = { method: 'MESSAGE', uri: `sip:${BOB}`, from: `sip:${ALICE}`, to: `<sip:${BOB}>` };
  bench.arrives(wire, branched(request({ ...message, callId: unique() }), unique()));
  const edge = bench.edge();
  bench.arrives(edge, fromBob(ALICE));
  const out = wire.anything();
  if (out.kind === 'response') {
    assert.equal(out.status, 403);
    assert.match(out.header('ms-diagnostics-public') ?? '', /^1002;/);
    assert.match(edge.response(404).header('ms-diagnostics-public') ?? '', /^4005;/);
    bench.toEdge.isSilent();
    return false;
  }
  const outward = bench.toEdge.request('MESSAGE');
  assert.equal(outward.uri, `sip:${BOB}`);
  assert.equal(out.from.uri, `sip:${BOB}`);
  assert.ok(!out.has('Sallyport-Asserted-Source'));
  return true;
}

test('who may exchange messages with other organisations is a policy of the user, the site, or all [setting frontEnd.externalAccess.global.federation] [setting frontEnd.externalAccess.sites[].federation] [setting frontEnd.externalAccess.users[].federation]', async () => {
  assert.equal(await exchange(policies({})), false);
  assert.equal(await exchange(policies({ global: federated })), true);
  const sites = [{ name: 'Here', ...federated }];
  assert.equal(await exchange(policies({ sites, site: 'Here' })), true);
  assert.equal(await exchange(policies({ sites, site: 'There' })), false);
  const users = [{ user: ALICE, ...neither }];
  assert.equal(await exchange(policies({ global: federated, users })), false);
});

test('only what an edge marks for its very sender comes from outside; a user who is not there looks like one who may not', async () => {
  const bench = await Bench.start(policies({ global: federated, users: [{ user: CAROL, ...neither }] }));
  const { wire } = bench.client();
  assert.equal(bench.signsIn(wire, CAROL), 200);
  const edge = bench.edge();
  const answers: string[] = [];
  for (const to of [CAROL, 'nobody@example.test']) {
    bench.arrives(edge, fromBob(to));
    const { status, reason } = edge.anyResponse();
    answers.push(`${status} ${reason}`);
  }
  assert.equal(answers[0], answers[1]);
  bench.arrives(edge, fromBob(ALICE, 'remote-user'));
  edge.response(403);
  bench.arrives(edge, fromBob(ALICE, 'federated', 'eve@partner.example'));
  edge.response(403);
  bench.arrives(wire, fromBob(ALICE));
  wire.response(403);
  bench.arrives(edge, fromBob('carol@third.example'));
  edge.response(403);
});

test('a call to a partner keeps its way back: the front end records the caller inside', async () => {
  const bench = await Bench.start(policies({ global: federated }));
  const { wire, token } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const sketch = { from: `sip:${ALICE}`, to: `<sip:${BOB}>`, uri: `sip:${BOB}`, callId: 'call' };
  bench.arrives(wire, branched(request({ ...sketch, method: 'INVITE' }), 'c1'));
  wire.response(100);
  const invite = bench.toEdge.request('INVITE');
  assert.match(invite.header('Record-Route') ?? '', new RegExp(`sip:${token}@`));
  bench.arrives(bench.toEdge, buildResponse(invite, 200, { toTag: 'bob' }));
  wire.response(200);
  const mark = formatAssertedSource({ address: BOB, source: 'federated', verified: false, edge: EDGE });
  const back = request({
    ...{ method: 'INFO', uri: 'sip:alice@10.0.0.1', from: `sip:${BOB}`, to: `<sip:${ALICE}>;tag=f1` },
    callId: 'call',
    headers: [
      ['Route', invite.values('Record-Route').join(', ')],
      ['Sallyport-Asserted-Source', mark],
    ],
  });
  bench.arrives(bench.edge(), branched(back, 'c2'));
  assert.equal(wire.request('INFO').from.uri, `sip:${BOB}`);
});
