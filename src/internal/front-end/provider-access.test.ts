import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildResponse, type SipRequest } from '#protocols/sip';
import { formatAssertedSource, type SourceKind } from '#protocols/trust-marking';
import type { AccessRights, ExternalAccess } from './external-access.ts';
import { request } from './testing/messages.ts';
import { Bench, branched, EDGE } from './testing/wire.ts';

/*
 * Public providers are a right of their own, and calls with their users another. Inward the front end holds everybody to
 * them; outward it tells the edge, which knows who is at a provider.
 */

const ALICE = 'alice@example.test';
const DAVE = 'dave@elsewhere.example';
const none: AccessRights = {
  remote: true,
  federation: false,
  publicProviders: false,
  publicProviderMedia: false,
  xmpp: false,
};
const partners: AccessRights = { ...none, federation: true };
const providers: AccessRights = { ...none, publicProviders: true };
const calls: AccessRights = { ...providers, publicProviderMedia: true };
type Document = ConstructorParameters<typeof ExternalAccess>[0];
const policies = (change: Partial<Document>): Document => ({ global: none, sites: [], users: [], ...change });

let count = 0;
type Sketch = NonNullable<Parameters<typeof request>[0]>;
function sent(sketch: Sketch): Buffer {
  count += 1;
  return branched(request({ callId: `v${count}`, ...sketch }), `v${count}`);
}
function fromDave(source: SourceKind, sketch: Sketch): Buffer {
  const mark = formatAssertedSource({ address: DAVE, source, verified: true, edge: EDGE });
  const headers = [['Sallyport-Asserted-Source', mark], ...(sketch.headers ?? [])] as const;
  const addressed = { uri: `sip:${ALICE}`, from: `sip:${DAVE}`, to: `<sip:${ALICE}>` };
  return sent({ ...addressed, ...sketch, headers });
}

/** What the edge is told of alice's rights when she writes to somebody elsewhere; undefined: she may not at all. */
async function told(document: Document, expected: string | undefined): Promise<void> {
  const bench = await Bench.start(document);
  const { wire } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const headers = [
    ['Sallyport-Sender-Rights', 'federation, public-providers, public-provider-media'],
  ] as const;
  const to = { uri: `sip:${DAVE}`, from: `sip:${ALICE}`, to: `<sip:${DAVE}>`, headers };
  bench.arrives(wire, sent({ method: 'MESSAGE', ...to }));
  if (expected === undefined) wire.response(403);
  else assert.deepEqual(bench.toEdge.request('MESSAGE').values('Sallyport-Sender-Rights'), [expected]);
}
/** Alice gets a message from elsewhere, or its sender is told what everybody is told of somebody who is not there. */
async function arrives(source: SourceKind, document: Document, expected: boolean): Promise<void> {
  const bench = await Bench.start(document);
  const { wire } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const edge = bench.edge();
  bench.arrives(edge, fromDave(source, { method: 'MESSAGE' }));
  if (expected) assert.equal(wire.request('MESSAGE').from.uri, `sip:${DAVE}`);
  else assert.match(edge.response(404).header('ms-diagnostics-public') ?? '', /^4005;/);
}

test('public providers are a right beside that of partners, by the policy of the user, the site, or all [setting frontEnd.externalAccess.global.publicProviders] [setting frontEnd.externalAccess.sites[].publicProviders] [setting frontEnd.externalAccess.users[].publicProviders]', async () => {
  const cases: [Document, AccessRights][] = [
    [policies({}), none],
    [policies({ global: partners }), partners],
    [policies({ global: providers }), providers],
    [policies({ global: partners, sites: [{ name: 'Here', ...providers }], site: 'Here' }), providers],
    [policies({ global: providers, users: [{ user: ALICE, ...partners }] }), partners],
    [policies({ global: partners, users: [{ user: ALICE, ...providers }] }), providers],
  ];
  for (const [document, rights] of cases) {
    const words = rights.federation ? 'federation' : 'public-providers';
    await told(document, rights === none ? undefined : words);
    await arrives('federated', document, rights.federation);
    await arrives('provider', document, rights.publicProviders);
  }
});

const offer = (...kinds: string[]) => ({
  body: Buffer.from(['v=0', 't=0 0', ...kinds.map((kind) => `m=${kind} 5000 x 0`), ''].join('\r\n')),
  headers: [['Content-Type', 'application/sdp']] as const,
});

test('calls with people at public providers are a right of their own, within a dialog, too [setting frontEnd.externalAccess.global.publicProviderMedia] [setting frontEnd.externalAccess.sites[].publicProviderMedia] [setting frontEnd.externalAccess.users[].publicProviderMedia]', async () => {
  const sites = [{ name: 'Here', ...calls }];
  const granted: Document[] = [
    policies({ global: calls }),
    policies({ sites, site: 'Here' }),
    policies({ users: [{ user: ALICE, ...calls }] }),
  ];
  const refused: Document[] = [
    policies({ global: providers }),
    policies({ global: calls, sites: [{ name: 'Here', ...providers }], site: 'Here' }),
    policies({ global: calls, users: [{ user: ALICE, ...providers }] }),
  ];
  for (const [documents, may] of [
    [granted, true],
    [refused, false],
  ] as const) {
    for (const document of documents) await calling(document, may);
  }
});

/** Dave opens a session of messages with alice, and asks for sound at once or later. */
async function calling(document: Document, may: boolean): Promise<void> {
  const bench = await Bench.start(document);
  const { wire } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const edge = bench.edge();
  const gets = (sketch: Parameters<typeof request>[0], expected: boolean): SipRequest | undefined => {
    bench.arrives(edge, fromDave('provider', { method: 'INVITE', ...sketch }));
    if (expected) {
      edge.response(100);
      return wire.request('INVITE');
    }
    edge.response(488);
    return undefined;
  };
  gets(offer('audio', 'video'), may);
  gets({}, may);
  const session = gets(offer('message'), true);
  assert.ok(session !== undefined);
  bench.arrives(wire, buildResponse(session, 200, { toTag: 'alice' }));
  edge.response(200);
  const route = [['Route', session.values('Record-Route').join(', ')]] as const;
  const again = { uri: `sip:${ALICE}`, to: `<sip:${ALICE}>;tag=alice`, callId: session.callId, cseq: 2 };
  const { body, headers } = offer('message', 'audio');
  gets({ ...again, body, headers: [...headers, ...route] }, may);
  // Outward the edge holds her to it.
  const invite = { ...again, method: 'INVITE', from: `sip:${ALICE}`, to: `<sip:${DAVE}>;tag=f1`, body };
  bench.arrives(
    wire,
    sent({ ...invite, uri: `sip:${DAVE}`, headers: [...headers, ['Route', outwardOf(session)]] }),
  );
  wire.response(100);
  const rights = bench.toEdge.request('INVITE').header('Sallyport-Sender-Rights');
  assert.equal(rights, `federation, public-providers${may ? ', public-provider-media' : ''}`);
}

/** Along the routes of the dialog: this front end, then the edge. */
function outwardOf(session: SipRequest): string {
  return [...session.values('Record-Route'), `<sip:token@${EDGE}:5061;transport=tls;lr>`].join(', ');
}

test('who watches from a provider is told by the edge: it gets the rights of whom it is about with each NOTIFY', async () => {
  const bench = await Bench.start(policies({ global: providers }), {
    approval: { colleagues: 'allow', outsiders: 'allow' },
  });
  const { wire } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const edge = bench.edge();
  const watches = (source: SourceKind) => {
    const headers = [
      ['Event', 'presence'],
      ['Expires', '600'],
      ['Contact', '<sip:~x@sip.example.test>'],
      ['Record-Route', `<sip:token@${EDGE}:5061;transport=tls;lr>`],
    ] as const;
    bench.arrives(edge, fromDave(source, { method: 'SUBSCRIBE', headers }));
  };
  watches('federated');
  edge.response(404);
  watches('provider');
  edge.response(200);
  const notify = bench.toEdge.request('NOTIFY');
  assert.equal(notify.header('Sallyport-Sender-Rights'), 'public-providers');
  bench.arrives(bench.toEdge, buildResponse(notify, 200));
  bench.configure(policies({}), { approval: { colleagues: 'allow', outsiders: 'allow' } });
  bench.passes(10);
  const last = bench.toEdge.request('NOTIFY');
  assert.match(last.header('Subscription-State') ?? '', /^terminated/);
  assert.ok(!last.has('Sallyport-Sender-Rights'), 'that it has ended is told to everybody');
});

test('who watches from where a user loses the right is told that it has ended, and who watches from elsewhere is not', async () => {
  const approval = { approval: { colleagues: 'allow', outsiders: 'allow' } } as const;
  const both: AccessRights = { ...partners, publicProviders: true };
  for (const [source, kept, left] of [
    ['provider', partners, providers],
    ['federated', providers, partners],
  ] as const) {
    const bench = await Bench.start(policies({ global: both }), approval);
    assert.equal(bench.signsIn(bench.client().wire, ALICE), 200);
    const edge = bench.edge();
    const headers = [
      ['Event', 'presence'],
      ['Expires', '600'],
      ['Contact', '<sip:~x@sip.example.test>'],
      ['Record-Route', `<sip:token@${EDGE}:5061;transport=tls;lr>`],
    ] as const;
    bench.arrives(edge, fromDave(source, { method: 'SUBSCRIBE', headers }));
    edge.response(200);
    bench.arrives(bench.toEdge, buildResponse(bench.toEdge.request('NOTIFY'), 200));
    bench.configure(policies({ global: left }), approval);
    bench.passes(10);
    bench.toEdge.isSilent();
    bench.configure(policies({ global: kept }), approval);
    bench.passes(10);
    const last = bench.toEdge.request('NOTIFY');
    assert.match(last.header('Subscription-State') ?? '', /^terminated;reason=rejected/);
    assert.ok(!last.has('Sallyport-Sender-Rights'), 'the edge would hold it to what the user may do now');
  }
});
