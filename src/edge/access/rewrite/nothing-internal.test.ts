import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageEdit, parseSipMessage, type SipMessage, SipRequest, SipResponse } from '#protocols/sip';
import { federationSettings } from '../federation/policy/settings.ts';
import { partnerOutwardRequest, partnerOutwardResponse } from '../federation/rewrite/partner-outward.ts';
import { accessSettings } from '../settings.ts';
import { testDocument } from '../testing/document.ts';
import { asRequest, request, sipText } from '../testing/messages.ts';
import { Seal, TopologyHiding } from '../topology-hiding/index.ts';
import { isNotForOutside } from '../trust.ts';
import { openHidden } from './inward.ts';
import { hideOutward, outwardRequest } from './outward.ts';
import { type Scene, webSocketScene } from './scene.ts';

const document = testDocument();
const settings = accessSettings(document);
const federation = { ...federationSettings(document), markOutgoing: true, archivingDisclaimer: true };
const hiding = new TopologyHiding(
  new Seal({ current: Buffer.alloc(32, 7), others: [] }),
  settings.disclosure,
  settings.external,
);
const scene: Scene = { settings, hiding, stripped: () => {}, scrubbed: () => {} };
const overWebSocket = webSocketScene(scene);
const TOKEN = 'TOKEN';
const BRANCH = 'z9hG4bKedge';
/** Names and addresses of the inside of the test document, in any spelling. */
const INSIDE = /corp\.example|corp%2eexample|127\.0\.9\.(20|31|32)|127\.0\.10\.|10\.45\.|a2d:102/i;

const insider = fc.constantFrom(
  'fe1.corp.example',
  'POOL.corp.Example',
  'edge1.corp.example',
  'mcu3.site.corp.example',
  'fe1%2Ecorp.example',
  '10.45.32.99',
  '127.0.9.31',
  '[::ffff:10.45.1.2]',
  '[::ffff:a2d:102]',
);
const written = fc.constantFrom(
  (host: string) => `<sip:bob@${host}>`,
  (host: string) => `"Bob" <sips:bob@${host}:5061;transport=tls>;x=1`,
  (host: string) => `sip:bob@${host}`,
  (host: string) => `<sip:${host};lr>, <sip:a@${host};lr>`,
  (host: string) => `7@${host};to-tag=1;from-tag=2`,
  (host: string) => `399 ${host} "text"`,
  (host: string) => `token;by=${host}`,
  (host: string) => `5 (said ${host}:5061)`,
  (host: string) => `"a \\"quoted ${host}\\" text"`,
  (host: string) => `<sip:bob@example.com;maddr=${host}>`,
  (host: string) => `<sip:bob@example.com?Replaces=7%40${host}%3Bto-tag%3D1>`,
  (host: string) => `1017;source="${host}";reason="no"`,
  (host: string) => `<tel:+15551234;phone-context=${host}>`,
);
/**
 * Every kind of field that the inside may write. Not among them: challenges, whose realm and target name are the
 * operator's choice, display names and tags.
 */
const name = fc.oneof(
  fc.constantFrom(
    'Contact', 'm', 'Record-Route', 'Service-Route', 'Path', 'Refer-To', 'r', 'Referred-By', 'b', 'Reply-To', 'Replaces', 'Join',
    'Target-Dialog', 'In-Reply-To', 'Warning', 'Server', 'User-Agent', 'Organization', 'Subject', 's', 'Call-Info', 'Alert-Info',
    'Error-Info', 'History-Info', 'Diversion', 'Reason', 'P-Asserted-Identity', 'P-Charging-Vector', 'P-Called-Party-ID',
    'P-Visited-Network-ID', 'P-Served-User', 'Geolocation', 'Identity-Info', 'Feature-Caps', 'Event', 'o', 'Allow-Events', 'u', 'Supported',
    'k', 'Require', 'Accept', 'Allow', 'Session-Expires', 'x', 'Retry-After', 'Date', 'SIP-ETag', 'Content-Disposition', 'Priority',
    'ms-diagnostics', 'ms-diagnostics-public', 'ms-edge-proxy-message-trust', 'ms-asserted-verification-level', 'ms-user-logon-data',
    'Sallyport-Asserted-Source', 'Sallyport-Anything',
  ), // biome-ignore format: one list
  // And whatever nobody has thought of.
  fc.stringMatching(/^X-[A-Za-z]{1,12}$/).filter((one) => one.length > 2),
);
const spelled = fc
  .tuple(name, fc.boolean())
  .map(([one, shout]) => (shout && one.length > 1 ? one.toUpperCase() : one));
const field = fc
  .tuple(spelled, written, insider)
  .map(([one, write, host]): readonly [string, string] => [one, write(host)]);
const party = fc.oneof(insider, fc.constant('example.com'));
const message = fc.record({
  fields: fc.array(field, { maxLength: 8 }),
  from: party,
  to: party,
  callId: insider,
  method: fc.constantFrom('INVITE', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'PUBLISH', 'X-NEW'),
  reason: fc.oneof(insider, fc.constant('OK')),
});
type Generated = typeof message extends fc.Arbitrary<infer One> ? One : never;

/** Asked by somebody outside, as the edge was asked. */
function asked(method: string): SipRequest {
  return asRequest(request(method, 'sip:bob@example.com'));
}
function lines({ fields, callId, method, from, to }: Generated, vias: readonly string[]): string[] {
  return [
    ...vias.map((via) => `Via: ${via}`),
    `From: "A" <sip:a@${from}>;tag=a1`,
    `To: <sip:b@${to}>;tag=b1`,
    `Call-ID: 17@${callId}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    ...fields.map(([one, value]) => `${one}: ${value}`),
  ];
}
/** What cannot be read never gets to where it would be rewritten. */
function read(bytes: Buffer): SipMessage | undefined {
  const parsed = parseSipMessage(bytes, { ...scene.settings.limits, messageMs: 0 });
  return parsed.ok ? parsed.value : undefined;
}
function requestOf(generated: Generated): SipRequest | undefined {
  const { method } = generated;
  const vias = [
    'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKfe',
    'SIP/2.0/TLS 10.45.32.99;branch=z9hG4bKb',
  ];
  const received = read(sipText([`${method} sip:alice@203.0.113.7 SIP/2.0`, ...lines(generated, vias)]));
  return received instanceof SipRequest ? received : undefined;
}
function responseOf(generated: Generated): SipResponse | undefined {
  const vias = [
    'SIP/2.0/TLS edge1.corp.example:5061;branch=z9hG4bKedge',
    'SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bKc',
  ];
  const received = read(sipText([`SIP/2.0 404 Not at ${generated.reason}`, ...lines(generated, vias)]));
  return received instanceof SipResponse ? received : undefined;
}

function tellsNothing(bytes: Buffer): void {
  assert.doesNotMatch(bytes.toString(), INSIDE);
  const sent = read(bytes);
  assert.ok(sent !== undefined, `can be read again: ${bytes}`);
  for (const one of sent.names()) {
    const marked = one.toLowerCase() === 'ms-asserted-verification-level';
    assert.ok(!isNotForOutside(one) || marked, `${one} is of the inside`);
  }
}
const runs = { numRuns: 400 };

test('[S12] no request that leaves, for a client or for a partner, tells a name or an address of the inside in any header', () => {
  let seen = 0;
  fc.assert(
    fc.property(message, fc.boolean(), (generated, recordRoute) => {
      const received = requestOf(generated);
      if (received === undefined) return;
      seen += 1;
      const decision = { routes: [], requestUri: undefined, recordRoute };
      for (const one of [scene, overWebSocket]) {
        tellsNothing(
          outwardRequest(received, { kind: 'deliver', token: TOKEN, ...decision }, TOKEN, BRANCH, one),
        );
      }
      const partner = {
        kind: 'allowed-domain',
        domain: 'partner.example',
        verification: 'use-source',
      } as const;
      const toPartner = {
        kind: 'send',
        media: true,
        partner: { ...partner, proxy: undefined },
        ...decision,
      } as const;
      tellsNothing(partnerOutwardRequest(received, toPartner, 'f.TOKEN', BRANCH, scene, federation));
    }),
    runs,
  );
  assert.ok(seen > runs.numRuns / 2, `${seen} could be read`);
});

test('[S12] no response that leaves does either, nor its reason phrase', () => {
  let seen = 0;
  fc.assert(
    fc.property(message, (generated) => {
      const received = responseOf(generated);
      if (received === undefined) return;
      seen += 1;
      const original = { request: asked(generated.method), token: TOKEN };
      for (const one of [scene, overWebSocket]) {
        const edit = new MessageEdit(received).removeFirst('Via');
        hideOutward(edit, received, original, one);
        tellsNothing(edit.toBytes());
      }
      const edit = new MessageEdit(received).removeFirst('Via');
      partnerOutwardResponse(edit, received, original, scene, federation);
      tellsNothing(edit.toBytes());
    }),
    runs,
  );
  assert.ok(seen > runs.numRuns / 2, `${seen} could be read`);
});

test('what was hidden of whom a dialog is with is, when it comes back, what the inside wrote', () => {
  fc.assert(
    fc.property(message, (generated) => {
      // Which is no host at all.
      fc.pre(![generated.from, generated.to].some((host) => host.includes('%')));
      const received = requestOf({ ...generated, fields: [['Reply-To', `<sip:r@${generated.from}>`]] });
      assert.ok(received !== undefined);
      const decision = {
        kind: 'deliver',
        token: TOKEN,
        routes: [],
        requestUri: undefined,
        recordRoute: false,
      } as const;
      const shown = asRequest(outwardRequest(received, decision, TOKEN, BRANCH, scene));
      const edit = new MessageEdit(shown);
      openHidden(edit, shown, scene);
      const back = asRequest(edit.toBytes());
      for (const one of ['From', 'To', 'Call-ID', 'Reply-To'])
        assert.equal(back.header(one), received.header(one));
    }),
    runs,
  );
});

test('[S12] of what a NOTIFY quotes of the answer to a REFER only the status leaves, if it names the inside', () => {
  const decision = {
    kind: 'deliver',
    token: TOKEN,
    routes: [],
    requestUri: undefined,
    recordRoute: false,
  } as const;
  const leaves = (type: string, body: string) => {
    const notify = asRequest(
      request('NOTIFY', 'sip:bob@203.0.113.7', { Event: 'refer', 'Content-Type': type }, body),
    );
    const sent = read(outwardRequest(notify, decision, TOKEN, BRANCH, scene));
    assert.ok(sent !== undefined);
    assert.equal(sent.header('Content-Length'), `${sent.body.length}`);
    return [sent.body.toString(), sent.header('Content-Type')];
  };
  const type = 'message/sipfrag;version=2.0';
  const clean = 'SIP/2.0 100 Trying\r\n';
  assert.deepEqual(leaves(type, clean), [clean, type]);
  const head =
    'SIP/2.0 200 OK\r\nContact: <sip:carol@10.45.1.7:5060>\r\nVia: SIP/2.0/TLS mcu3.corp.example\r\n';
  assert.deepEqual(leaves('Message/SipFrag', head), ['SIP/2.0 200 OK\r\n', 'Message/SipFrag']);
  assert.deepEqual(leaves(type, 'SIP/2.0 503 fe1.corp.example is gone'), ['SIP/2.0 503 \r\n', type]);
  assert.deepEqual(leaves(type, 'INVITE sip:carol@10.45.1.7 SIP/2.0\r\n'), ['', undefined]);
  assert.deepEqual(leaves('text/plain', 'I am at 10.45.1.7'), ['I am at 10.45.1.7', 'text/plain']);
});
