import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageEdit, type SipMessage, SourceStamp } from '#protocols/sip';
import { decideClientRequest } from '../policy/from-client.ts';
import { decideNextHopRequest } from '../policy/from-next-hop.ts';
import { accessSettings } from '../settings.ts';
import { testDocument } from '../testing/document.ts';
import { asRequest, asResponse, request, sipText } from '../testing/messages.ts';
import { Disclosure, Seal, TopologyHiding } from '../topology-hiding/index.ts';
import { inwardRequest, restoreInward } from './inward.ts';
import { hideOutward, outwardRequest } from './outward.ts';
import type { Scene } from './scene.ts';

const settings = accessSettings(testDocument());
const hiding = new TopologyHiding(
  new Seal({ current: Buffer.alloc(32, 5), others: [] }),
  settings.disclosure,
  settings.external,
);
const counts = { stripped: 0, scrubbed: 0 };
const scene: Scene = {
  settings,
  hiding,
  stripped: () => void counts.stripped++,
  scrubbed: () => void counts.scrubbed++,
};
const client = { token: 'TOKEN', stamp: new SourceStamp({ address: '203.0.113.7', port: 40_001 }) };
const frontEnd = { address: '127.0.9.31', port: 5061 };
const EXTERNAL = 'sip:TOKEN@sip.example.com:443;transport=tls;lr';
const INTERNAL = 'sip:TOKEN@edge1.corp.example:5061;transport=tls;lr';
/** Everything that no client may see. */
const INSIDE = /corp\.example|127\.0\.9\.(20|31|32)|127\.0\.10\.|10\.45\./i;

function inward(...message: Parameters<typeof request>) {
  const received = asRequest(request(...message));
  const decision = decideClientRequest(
    received,
    {
      accepts: (address) => address === 'alice@example.com',
      signedIn: true,
      isOurToken: (token) => token === 'TOKEN',
      unfold: (behind) => hiding.unfoldRoutes(behind),
      openTarget: (uri) => hiding.targets.open(uri),
    },
    settings,
  );
  assert.equal(decision.kind, 'forward');
  assert.ok(decision.kind === 'forward');
  return { received, sent: asRequest(inwardRequest(received, decision, client, 'z9hG4bKedge', scene)) };
}

function outward(...[method, uri, change, body]: Parameters<typeof request>) {
  const fields = {
    Via: ['SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKfe', 'SIP/2.0/TLS 10.45.32.99;branch=z9hG4bKbob'],
    Route: `<${INTERNAL};ob>`,
    From: '<sip:bob@example.com>;tag=b1',
    ...change,
  };
  const received = asRequest(request(method, uri, fields, body));
  const decision = decideNextHopRequest(received, settings);
  assert.ok(decision.kind === 'deliver');
  return { received, sent: asRequest(outwardRequest(received, decision, 'TOKEN', 'z9hG4bKedge', scene)) };
}

/** A response to `to`, with its Vias but the topmost one, as the proxy hands it to be edited. */
function answer(to: SipMessage, status: string, lines: readonly string[]): ReturnType<typeof asResponse> {
  const echoed = ['From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${to.header(name)}`);
  const vias = to.values('Via').map((via) => `Via: ${via}`);
  return asResponse(sipText([`SIP/2.0 ${status}`, ...vias, ...echoed, ...lines]));
}
function edited(response: ReturnType<typeof asResponse>, change: (edit: MessageEdit) => void) {
  const edit = new MessageEdit(response).removeFirst('Via');
  change(edit);
  return asResponse(edit.toBytes());
}

test('inward: our Via on top, the source in the one below, one hop less, the rest as it came', () => {
  const { sent } = inward('MESSAGE', 'sip:carol@example.com', { 'Content-Type': 'text/plain' }, 'hello');
  assert.deepEqual(sent.values('Via'), [
    'SIP/2.0/TLS edge1.corp.example:5061;branch=z9hG4bKedge',
    'SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bKclient1;rport=40001;received=203.0.113.7',
  ]);
  assert.equal(sent.header('Max-Forwards'), '69');
  assert.equal(sent.header('Content-Type'), 'text/plain');
  assert.equal(sent.body.toString(), 'hello');
  assert.ok(!sent.has('Record-Route'));
  assert.ok(!sent.has('Path'));
});

test('inward: an accepted sender is marked, and nobody else can write that mark', () => {
  const mark = '<sip:alice@example.com>;source=remote-user;edge=edge1.corp.example';
  const forged = { 'sallyport-ASSERTED-source': ['<sip:boss@example.com>', '<sip:root@example.com>'] };
  const mine = inward('MESSAGE', 'sip:carol@example.com', forged).sent;
  assert.deepEqual(mine.values('Sallyport-Asserted-Source'), [mark]);
  const other = inward('MESSAGE', 'sip:carol@example.com', {
    ...forged,
    From: '<sip:boss@example.com>;tag=1',
  }).sent;
  assert.ok(!other.has('Sallyport-Asserted-Source'));
});

test('inward: headers that carry trust are removed in every spelling, harmless ones stay', () => {
  const before = counts.stripped;
  const { sent } = inward('INVITE', 'sip:carol@example.com', {
    'P-ASSERTED-identity': '<sip:boss@example.com>',
    'Remote-Party-ID': '<sip:boss@example.com>',
    'X-Internal-Auth': 'yes',
    'ms-edge-proxy-message-trust': 'ms-source-type=AuthorizedServer',
    'History-Info': '<sip:boss@example.com>;index=1',
    Identity: 'abc',
    y: 'abc',
    Path: '<sip:10.45.32.11;lr>',
    'Service-Route': '<sip:10.45.32.11;lr>',
    'P-Preferred-Identity': '<sip:alice@example.com>',
    'ms-keep-alive': 'UAC;hop-hop=yes',
    'Session-Expires': '90',
  });
  const names = sent.names().map((name) => name.toLowerCase());
  assert.deepEqual(
    names.filter((name) => /^(p-|x-|ms-|remote|history|identity|path|service)/.test(name)),
    ['p-preferred-identity', 'ms-keep-alive'],
  );
  assert.deepEqual(sent.values('Record-Route'), [`<${INTERNAL}>`, `<${EXTERNAL}>`]);
  assert.equal(counts.stripped - before, 9);
});

test('inward: the routes of a client that is a proxy stand behind ours where a dialog begins, and nowhere else', () => {
  const theirs = ['<sip:192.168.1.5;lr>', '<sip:10.45.32.11;lr>'];
  const routes = (method: string, change: Record<string, string> = {}) =>
    inward(method, 'sip:carol@example.com', { ...change, 'Record-Route': theirs }).sent.values(
      'Record-Route',
    );
  assert.deepEqual(routes('INVITE'), [`<${INTERNAL}>`, `<${EXTERNAL}>`, ...theirs]);
  assert.deepEqual(routes('MESSAGE'), []);
  assert.deepEqual(routes('INVITE', { To: '<sip:carol@example.com>;tag=c' }), []);
});

test('inward: both interfaces record the route (RFC 5658), a REGISTER gets its Path (RFC 3327)', () => {
  assert.deepEqual(inward('INVITE', 'sip:carol@example.com').sent.values('Record-Route'), [
    `<${INTERNAL}>`,
    `<${EXTERNAL}>`,
  ]);
  const Contact = '<sip:alice@192.168.1.5>;reg-id=1';
  assert.deepEqual(inward('REGISTER', 'sip:example.com', { Contact }).sent.values('Path'), [
    `<${INTERNAL};ob>`,
  ]);
  // By a proxy behind us, which is to get what comes for the device.
  const Path = ['<sip:192.168.1.5;lr>', '<sip:192.168.2.1;lr>'];
  assert.deepEqual(inward('REGISTER', 'sip:example.com', { Contact, Path }).sent.values('Path'), [
    `<${INTERNAL};ob>`,
    ...Path,
  ]);
});

test('outward: nothing of the inside is in a request to a client', () => {
  const { sent } = outward('INVITE', 'sip:alice@192.168.1.5:40001;transport=tls', {
    'Record-Route': '<sip:fe1.corp.example:5061;transport=tls;lr>',
    Contact: '"Bob" <sip:bob@10.45.32.99:5061;transport=tls>;+sip.instance="<urn:uuid:1>"',
    'Call-ID': '8f3@10.45.32.99',
    'User-Agent': 'Phone/1 (fe1.corp.example)',
    'P-Asserted-Identity': '"Bob" <sip:bob@example.com>',
    'Call-Info': '<http://10.45.32.11/bob.png>;purpose=icon',
    'Referred-By': '<sip:carol@fe1.corp.example>',
    'X-Route-Debug': 'via 127.0.10.9',
    'ms-diagnostics': '1;source="x"',
    'Sallyport-Asserted-Source': '<sip:bob@example.com>',
    Warning: '399 fe1.corp.example:5061 "queued on 10.45.32.11"',
  });
  assert.doesNotMatch(sent.bytes.toString(), INSIDE);
  assert.deepEqual(sent.values('Via'), [
    'SIP/2.0/TLS sip.example.com:443;branch=z9hG4bKedge',
    'SIP/2.0/TLS hidden.invalid;branch=z9hG4bKhidden',
  ]);
  for (const name of [
    'Route',
    'User-Agent',
    'Call-Info',
    'X-Route-Debug',
    'ms-diagnostics',
    'Sallyport-Asserted-Source',
  ])
    assert.ok(!sent.has(name), name);
  assert.equal(sent.header('P-Asserted-Identity'), '"Bob" <sip:bob@example.com>');
  assert.match(
    sent.header('Contact') ?? '',
    /^"Bob" <sip:~[^@]+@sip\.example\.com:443;transport=tls>;\+sip\.inst/,
  );
  assert.match(sent.header('Warning') ?? '', /^399 sip\.example\.com "/);
  assert.equal(sent.header('Max-Forwards'), '69');
});

test('a dialog begun inside: the client answers what it was shown, the inside gets back what it wrote', () => {
  const { received, sent } = outward('INVITE', 'sip:alice@192.168.1.5:40001', {
    'Record-Route': ['<sip:fe1.corp.example:5061;transport=tls;lr>', '<sip:10.45.32.50;lr>'],
    Contact: '<sip:bob@10.45.32.99:5061;transport=tls>',
    'Call-ID': '8f3@10.45.32.99',
  });
  const recorded = sent.values('Record-Route');
  assert.equal(recorded.length, 1);
  const original = { request: received, remote: frontEnd, token: 'TOKEN', recordRoute: true };
  const response = answer(sent, '200 OK', [
    `Record-Route: ${recorded}`,
    'Contact: <sip:alice@192.168.1.5:40001>',
  ]);
  const restored = edited(response, (edit) => restoreInward(edit, response, original, scene));
  assert.deepEqual(restored.values('Via'), [
    'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKfe;received=127.0.9.31',
    'SIP/2.0/TLS 10.45.32.99;branch=z9hG4bKbob',
  ]);
  assert.equal(restored.callId, '8f3@10.45.32.99');
  assert.deepEqual(restored.values('Record-Route'), [
    `<${EXTERNAL}>`,
    `<${INTERNAL};shown=${hiding.keyOfCallId(sent.callId)}>`,
    '<sip:fe1.corp.example:5061;transport=tls;lr>',
    '<sip:10.45.32.50;lr>',
  ]);
  // The client's BYE: Request-URI from our Contact, Route from our Record-Route.
  const bye = inward('BYE', /<([^>]+)>/.exec(sent.header('Contact') ?? '')?.[1] ?? '', {
    Route: recorded,
    'Call-ID': sent.callId,
    To: '<sip:bob@example.com>;tag=b1',
  }).sent;
  assert.equal(bye.uri, 'sip:bob@10.45.32.99:5061;transport=tls');
  assert.deepEqual(bye.values('Route'), [
    '<sip:fe1.corp.example:5061;transport=tls;lr>',
    '<sip:10.45.32.50;lr>',
  ]);
  assert.equal(bye.callId, '8f3@10.45.32.99');
});

test('a dialog begun outside: the route set in the answer folds into one entry of ours', () => {
  const { received, sent } = inward('INVITE', 'sip:bob@example.com', {
    Contact: '<sip:alice@192.168.1.5:40001>',
  });
  assert.equal(sent.header('Contact'), '<sip:alice@192.168.1.5:40001>');
  const response = answer(sent, '200 OK', [
    'Record-Route: <sip:10.45.32.50;lr>, <sip:fe1.corp.example;lr>',
    `Record-Route: <${INTERNAL}>, <${EXTERNAL}>`,
    'Contact: <sip:bob@10.45.32.99:5061>',
    'Server: Front End at fe1.corp.example',
  ]);
  const shown = edited(response, (edit) =>
    hideOutward(edit, response, { request: received, token: 'TOKEN' }, scene),
  );
  assert.doesNotMatch(shown.bytes.toString(), INSIDE);
  assert.deepEqual(
    shown.vias().map(({ host }) => host),
    ['192.168.1.5'],
  );
  const ack = inward('ACK', /<([^>]+)>/.exec(shown.header('Contact') ?? '')?.[1] ?? '', {
    Route: shown.values('Record-Route'),
  }).sent;
  assert.equal(ack.uri, 'sip:bob@10.45.32.99:5061');
  // A client takes the Record-Route set from the bottom up.
  assert.deepEqual(ack.values('Route'), ['<sip:fe1.corp.example;lr>', '<sip:10.45.32.50;lr>']);
});

test('the answer to REGISTER: own contacts as they are, others hidden, no Path, Service-Route folded', () => {
  const mine = '<sip:alice@192.168.1.5:40001;transport=tls>';
  const { received, sent } = inward('REGISTER', 'sip:example.com', { Contact: `${mine};expires=300` });
  const response = answer(sent, '200 OK', [
    `Contact: ${mine};expires=300, <sip:alice@10.45.1.7>;expires=60`,
    `Path: <${INTERNAL}>`,
    'Service-Route: <sip:fe1.corp.example;lr>',
  ]);
  const shown = edited(response, (edit) =>
    hideOutward(edit, response, { request: received, token: 'TOKEN' }, scene),
  );
  assert.doesNotMatch(shown.bytes.toString(), INSIDE);
  assert.equal(shown.values('Contact')[0], `${mine};expires=300`);
  assert.match(shown.values('Contact')[1] ?? '', /^<sip:~[^>]+>;expires=60$/);
  assert.ok(!shown.has('Path'));
  const preloaded = inward('INVITE', 'sip:bob@example.com', { Route: shown.values('Service-Route') }).sent;
  assert.deepEqual(preloaded.values('Route'), ['<sip:fe1.corp.example;lr>']);
});

test('a client that redirects to whom it was shown names them to the inside; where it is itself stays as it wrote it', () => {
  const { received, sent } = outward('INVITE', 'sip:alice@192.168.1.5:40001', {
    Contact: '<sip:bob@10.45.32.99:5061;transport=tls>',
  });
  const original = { request: received, remote: frontEnd, token: 'TOKEN', recordRoute: true };
  const shown = sent.header('Contact') ?? '';
  assert.match(shown, /^<sip:~/);
  const contacts = (status: string, ...lines: string[]) => {
    const response = answer(sent, status, lines);
    return edited(response, (edit) => restoreInward(edit, response, original, scene)).values('Contact');
  };
  const others = [`"Bob" ${shown};q=0.7`, '<sip:carol@example.com>'];
  const real = ['"Bob" <sip:bob@10.45.32.99:5061;transport=tls>;q=0.7', '<sip:carol@example.com>'];
  for (const status of ['302 Moved', '300 Several', '485 Ambiguous'])
    assert.deepEqual(contacts(status, `Contact: ${others.join(', ')}`), real);
  assert.deepEqual(contacts('200 OK', `Contact: ${shown}`), [shown]);
  const many = [shown, ...Array.from({ length: 200 }, () => '<sip:x@example.com>')].join(', ');
  assert.equal(contacts('302 Moved', `Contact: ${many}`).length, 128);
});

test('a reason phrase that names the inside is replaced by the usual one', () => {
  const { received, sent } = inward('MESSAGE', 'sip:carol@example.com');
  const response = answer(sent, '503 fe1.corp.example has no room', []);
  const shown = edited(response, (edit) =>
    hideOutward(edit, response, { request: received, token: 'TOKEN' }, scene),
  );
  assert.equal(shown.reason, 'Service Unavailable');
});

test('S15: a client asks nobody for a password: its challenges go no further', () => {
  const { received, sent } = outward('MESSAGE', 'sip:alice@192.168.1.5');
  const challenge = 'Digest realm="example.com", nonce="chosen", algorithm=MD5';
  const response = answer(sent, '401 Unauthorized', [
    `WWW-Authenticate: ${challenge}`,
    `proxy-authenticate: ${challenge}`,
    'Authentication-Info: nextnonce="x"',
  ]);
  const original = { request: received, remote: frontEnd, token: 'TOKEN', recordRoute: false };
  const restored = edited(response, (edit) => restoreInward(edit, response, original, scene));
  for (const name of ['WWW-Authenticate', 'Proxy-Authenticate', 'Authentication-Info'])
    assert.ok(!restored.has(name), name);
});

test('a field that is repeated, in whatever case, costs no more than its octets', () => {
  const read: string[] = [];
  class Watched extends Disclosure {
    override mentionsInternal(text: string): boolean {
      read.push(text);
      return super.mentionsInternal(text);
    }
  }
  const watched = new Watched({ publicHosts: [], internalHosts: ['fe1.corp.example'], internalNetworks: [] });
  const watching = new TopologyHiding(
    new Seal({ current: Buffer.alloc(32, 5), others: [] }),
    watched,
    settings.external,
  );
  const lines = Array.from({ length: 180 }, (_, i) => {
    const name = [...'y-abcdefgh'].map((letter, bit) => ((i >> bit) & 1 ? letter.toUpperCase() : letter));
    return `${name.join('')}: ${i}`;
  });
  const { received, sent } = inward('MESSAGE', 'sip:carol@example.com');
  const response = answer(sent, '200 OK', lines);
  edited(response, (edit) => {
    hideOutward(edit, response, { request: received, token: 'TOKEN' }, { ...scene, hiding: watching });
  });
  assert.ok(read.length <= 200, `${read.length} texts read`);
});

test('what looks like more addresses than anybody writes is not read to its end', () => {
  assert.ok(settings.disclosure.mentionsInternal('1.2.3.4 '.repeat(1000)));
  assert.ok(settings.disclosure.mentionsInternal('a:'.repeat(4000)));
  const many = Array.from({ length: 3000 }, (_, i) => `sip:a${i}@fe1.corp.example`).join(',');
  const { sent } = outward('INVITE', 'sip:alice@192.168.1.5', { Contact: many.slice(0, 8000) });
  assert.equal(sent.values('Contact').length, 128);
});

test('a value with an open quotation mark does not swallow the one that is written behind it', () => {
  const { sent } = outward('INVITE', 'sip:alice@192.168.1.5', {
    Contact: ['"open <sip:a@10.45.1.1>', '<sip:bob@10.45.32.99>'],
  });
  assert.equal(sent.values('Contact').length, 1);
  assert.ok(hiding.targets.open(sent.values('Contact')[0]?.slice(1, -1) ?? ''));
});

test('S15: nobody outside is shown the credentials of somebody else, from whichever way a next hop let them through', () => {
  const leaked = {
    Authorization: 'Digest username="bob", realm="example.com", nonce="n", uri="sip:x", response="00"',
    'proxy-AUTHORIZATION': 'NTLM gssapi-data="TlRM"',
  };
  const { sent } = outward('INVITE', 'sip:alice@192.168.1.5', leaked);
  assert.ok(!sent.has('Authorization') && !sent.has('Proxy-Authorization'));
  const asked = inward('MESSAGE', 'sip:carol@example.com');
  const response = answer(asked.sent, '200 OK', [`Authorization: ${leaked.Authorization}`]);
  const shown = edited(response, (edit) =>
    hideOutward(edit, response, { request: asked.received, token: 'TOKEN' }, scene),
  );
  assert.ok(!shown.has('Authorization'));
});

test('S15: challenges pass to the letter and in their order: the strongest first (RFC 8760 §2.4), none added, no realm changed', () => {
  const { received, sent } = inward('REGISTER', 'sip:example.com');
  const challenges = ['SHA-512-256', 'SHA-256', 'MD5'].flatMap((algorithm) =>
    ['example.com', 'Sub.example.com'].map(
      (realm) => `Digest realm="${realm}", nonce="fe1", algorithm=${algorithm}, qop="auth"`,
    ),
  );
  for (const offered of [challenges, challenges.slice(0, 2)]) {
    const response = answer(
      sent,
      '401 Unauthorized',
      offered.map((challenge) => `WWW-Authenticate: ${challenge}`),
    );
    const shown = edited(response, (edit) =>
      hideOutward(edit, response, { request: received, token: 'TOKEN' }, scene),
    );
    assert.deepEqual(shown.values('WWW-Authenticate'), offered);
    assert.ok(!shown.has('Proxy-Authenticate'));
  }
});

test('whatever header of the inside a message has, and wherever it names the inside, a client does not see it', () => {
  const insider = fc.constantFrom(
    'fe1.corp.example',
    'EDGE1.corp.EXAMPLE',
    '10.45.32.99',
    '[::ffff:10.45.1.2]',
    '127.0.10.7',
  );
  const form = fc.constantFrom(
    (host: string) => `<sip:bob@${host}>`,
    (host: string) => `"Bob" <sips:bob@${host}:5061;transport=tls>;x=1`,
    (host: string) => `sip:bob@${host}`,
    (host: string) => `7@${host};to-tag=1;from-tag=2`,
    (host: string) => `399 ${host} "text"`,
    (host: string) => `said ${host}:5061 so`,
    (host: string) => `<sip:bob@example.com;maddr=${host}>`,
    (host: string) => `<sip:bob@example.com?Replaces=7%40${host}%3Bto-tag%3D1>`,
  );
  const named = fc.constantFrom(
    'Contact',
    'm',
    'Refer-To',
    'r',
    'Referred-By',
    'Reply-To',
    'Replaces',
    'Warning',
    'Server',
  );
  const others = fc.constantFrom(
    'X-Any',
    'Call-Info',
    'Error-Info',
    'History-Info',
    'Path',
    'Reason',
    'P-Asserted-Identity',
  );
  const field = fc
    .tuple(fc.oneof(named, others), form, insider)
    .map(([name, write, host]) => [name, write(host)] as const);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), (fields) => {
      const change: Record<string, string> = Object.fromEntries(fields);
      assert.doesNotMatch(outward('INVITE', 'sip:alice@192.168.1.5', change).sent.bytes.toString(), INSIDE);
    }),
    { numRuns: 500 },
  );
});
