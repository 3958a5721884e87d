import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessRights, ExternalAccess } from './external-access.ts';
import { request } from './testing/messages.ts';
import { Bench, branched, EDGE } from './testing/wire.ts';

const ALICE = 'alice@example.test';
const CAROL = 'carol@example.test';
const no: AccessRights = {
  remote: false,
  federation: false,
  xmpp: false,
  publicProviders: false,
  publicProviderMedia: false,
};
const yes: AccessRights = {
  remote: true,
  federation: false,
  xmpp: false,
  publicProviders: false,
  publicProviderMedia: false,
};
type Document = ConstructorParameters<typeof ExternalAccess>[0];
const policies = (change: Partial<Document>): Document => ({
  global: no,
  sites: [],
  users: [],
  ...change,
});

test('the nearest policy counts as a whole: user, site, global [setting frontEnd.externalAccess.users[].user] [setting frontEnd.externalAccess.users[].remote]', async () => {
  const users = [{ user: ALICE, ...yes }];
  await plays(policies({ users }), { [ALICE]: 200, [CAROL]: 403 });
  await plays(policies({ global: yes, users: [{ user: ALICE, ...no }] }), {
    [ALICE]: 403,
    [CAROL]: 200,
  });
});

test('a site has a policy of its own [setting frontEnd.externalAccess.site] [setting frontEnd.externalAccess.sites[].name] [setting frontEnd.externalAccess.sites[].remote]', async () => {
  const sites = [
    { name: 'Here', ...yes },
    { name: 'There', ...no },
  ];
  await plays(policies({ sites, site: 'Here' }), { [ALICE]: 200 });
  await plays(policies({ global: yes, sites, site: 'There' }), { [ALICE]: 403 });
  await plays(policies({ global: yes, sites, site: 'Elsewhere' }), { [ALICE]: 200 });
});

test('nobody comes in from outside unless the document says so [setting frontEnd.externalAccess.global.remote]', async () => {
  await plays(policies({}), { [ALICE]: 403 });
  await plays(policies({ global: yes }), { [ALICE]: 200 });
});

test('who may not is told so only after the password was right, and is called nowhere outside', async () => {
  const bench = await Bench.start(policies({ global: yes }));
  assert.equal(bench.signsIn(bench.edge(), ALICE), 200);
  bench.configure(policies({}));
  const edge = bench.edge();
  bench.arrives(edge, branched(request({ from: `sip:${ALICE}` }), 'q1'));
  const unproven = edge.response(401);
  assert.ok(!unproven.has('ms-diagnostics-public'));
  const inside = bench.client();
  assert.equal(bench.signsIn(inside.wire, CAROL), 200, 'inside nothing changes');
  const message = request({ method: 'MESSAGE', uri: `sip:${ALICE}`, from: `sip:${CAROL}`, callId: 'm' });
  bench.arrives(inside.wire, branched(message, 'q2'));
  inside.wire.response(480);
  bench.toEdge.isSilent();
});

test('who loses the right in a call may still end it', async () => {
  const bench = await Bench.start(policies({ global: yes }));
  const edge = bench.edge();
  bench.configure(policies({}));
  const inDialog = {
    uri: 'sip:carol@192.0.2.1',
    to: `<sip:${CAROL}>;tag=c1`,
    from: `sip:${ALICE}`,
    headers: [
      ['Route', `<sip:token@${EDGE}:5061;transport=tls;lr>`],
      ['Sallyport-Asserted-Source', `<sip:${ALICE}>;source=remote-user;edge=${EDGE}`],
    ] as const,
  };
  bench.arrives(edge, branched(request({ ...inDialog, method: 'INFO' }), 'q3'));
  assert.match(edge.response(403).header('ms-diagnostics-public') ?? '', /^4003;/);
  bench.arrives(edge, branched(request({ ...inDialog, method: 'BYE' }), 'q4'));
  bench.toEdge.request('BYE');
});

/** Users sign in through an edge and have the status that is written behind their name. */
async function plays(document: Document, outcome: Readonly<Record<string, number>>): Promise<void> {
  const bench = await Bench.start(document);
  for (const [aor, status] of Object.entries(outcome)) {
    assert.equal(bench.signsIn(bench.edge(), aor), status, aor);
  }
}
