import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessSettings } from '../settings.ts';
import { testDocument } from '../testing/document.ts';
import { asRequest, request } from '../testing/messages.ts';
import { type ClientKnowledge, decideClientRequest } from './from-client.ts';

const settings = accessSettings(testDocument());
const known: ClientKnowledge = {
  accepts: (address) => address === 'alice@example.com',
  signedIn: true,
  isOurToken: (token) => token === 'TOKEN',
  unfold: (behind) => (behind === 'SEALED' ? ['<sip:fe1.corp.example;lr>'] : undefined),
  openTarget: (uri) => (uri.startsWith('sip:~') ? 'sip:bob@10.45.32.99' : undefined),
};
const decide = (...message: Parameters<typeof request>) =>
  decideClientRequest(asRequest(request(...message)), known, settings);
const refused = (status: number, reason: string) => ({ kind: 'refuse', status, reason });

test('a request goes to the next hop wherever its Request-URI points', () => {
  for (const uri of [
    'sip:carol@example.com',
    'sip:x@elsewhere.example',
    'sip:127.0.0.1:22',
    'tel:+15551234',
  ]) {
    const decision = decide('MESSAGE', uri);
    assert.equal(decision.kind, 'forward', uri);
  }
});

test('a maddr that names us has done its work, one of somebody else is for the next hop to judge (RFC 3261 §16.4)', () => {
  const leaves = (uri: string) => {
    const decision = decide('MESSAGE', uri);
    return decision.kind === 'forward' ? decision.requestUri : decision;
  };
  const bob = 'sip:bob@example.com';
  assert.equal(leaves(`${bob};maddr=sip.example.com;transport=tls`), bob);
  assert.equal(leaves('sip:bob@example.com:443;MADDR=127.0.9.10'), bob);
  assert.equal(leaves(`${bob};maddr=10.45.32.11`), undefined);
});

test('the sender is asserted only if this connection was accepted for that very address', () => {
  const asserted = (from: string) => {
    const decision = decide('MESSAGE', 'sip:carol@example.com', { From: `${from};tag=1` });
    return decision.kind === 'forward' ? decision.asserted : 'refused';
  };
  assert.equal(asserted('<sip:alice@example.com>'), 'alice@example.com');
  assert.equal(asserted('"A" <sips:alice@EXAMPLE.com;x=y>'), 'alice@example.com');
  for (const other of [
    '<sip:Alice@example.com>',
    '<sip:bob@example.com>',
    '<sip:alice:bob@example.com>',
    '<sip:alice@example.com.evil.test>',
  ])
    assert.equal(asserted(other), undefined, other);
  assert.equal(asserted('<tel:+1555>'), undefined);
});

test('NEGOTIATE is 501 and goes no further', () => {
  assert.deepEqual(decide('NEGOTIATE', 'sip:127.0.0.1:5061'), refused(501, 'negotiate'));
});

test('what any proxy checks comes first: hops, extensions, schemes', () => {
  const uri = 'sip:carol@example.com';
  assert.deepEqual(decide('MESSAGE', uri, { 'Max-Forwards': '0' }), refused(483, 'max-forwards'));
  assert.deepEqual(decide('MESSAGE', uri, { 'Proxy-Require': 'privacy, x' }), {
    ...refused(420, 'proxy-require'),
    headers: [['Unsupported', 'privacy, x']],
  });
  assert.deepEqual(decide('MESSAGE', 'http://example.com/'), refused(416, 'bad-uri'));
  assert.deepEqual(decide('MESSAGE', 'sip:a@[::1'), refused(400, 'bad-uri'));
  assert.deepEqual(decide('MESSAGE', `${uri}?Route=%3Csip:x%3E`), refused(400, 'bad-uri'));
});

test('OPTIONS for the edge itself is answered here, for a user it goes on', () => {
  assert.deepEqual(decide('OPTIONS', 'sip:sip.example.com'), { kind: 'answer' });
  assert.deepEqual(decide('OPTIONS', 'sip:127.0.9.10:443', { 'Max-Forwards': '0' }), { kind: 'answer' });
  assert.equal(decide('OPTIONS', 'sip:carol@example.com').kind, 'forward');
});

test('a request that already passed this edge goes on: what loops is found on its way outward', () => {
  const Via = [
    'SIP/2.0/TLS 192.168.1.5;branch=z9hG4bK2',
    'SIP/2.0/TLS edge1.corp.example:5061;branch=z9hG4bK1',
  ];
  assert.equal(decide('MESSAGE', 'sip:carol@example.com', { Via }).kind, 'forward');
});

test('no breadth left is 440 (RFC 5393 §5.3.3)', () => {
  const breadth = (value: string) => decide('MESSAGE', 'sip:carol@example.com', { 'Max-Breadth': value });
  assert.deepEqual(breadth('0'), refused(440, 'max-breadth'));
  for (const value of ['1', '60', '61', '']) assert.equal(breadth(value).kind, 'forward', value);
});

test('routes of ours are consumed, what we sealed into them comes back', () => {
  const routes = (...Route: string[]) => {
    const decision = decide('BYE', 'sip:carol@example.com', { Route });
    return decision.kind === 'forward' ? decision.routes : decision;
  };
  assert.deepEqual(routes('<sip:sip.example.com:443;transport=tls;lr>'), []);
  assert.deepEqual(routes('<sip:example.com;lr>'), []);
  assert.deepEqual(routes('<sip:TOKEN@sip.example.com:443;lr>'), []);
  assert.deepEqual(routes('<sip:TOKEN@sip.example.com:443;lr;behind=SEALED>'), ['<sip:fe1.corp.example;lr>']);
});

test('routes of others are refused, alone or behind ours', () => {
  const routes = (...Route: string[]) => decide('INVITE', 'sip:carol@example.com', { Route });
  for (const foreign of ['<sip:10.45.32.11;lr>', '<sip:127.0.0.1:22;lr>', '<sip:fe1.corp.example;lr>']) {
    assert.deepEqual(routes(foreign), refused(403, 'foreign-route'));
    assert.deepEqual(routes('<sip:sip.example.com;lr>', foreign), refused(403, 'foreign-route'));
  }
  // The internal interface is not a client's to name.
  assert.deepEqual(routes('<sip:TOKEN@edge1.corp.example:5061;lr>'), refused(403, 'foreign-route'));
});

test('a forged token or a forged seal is refused', () => {
  const routes = (Route: string) => decide('INVITE', 'sip:carol@example.com', { Route });
  assert.deepEqual(routes('<sip:FORGED@sip.example.com;lr>'), refused(403, 'forged-token'));
  assert.deepEqual(routes('<sip:TOKEN@sip.example.com;lr;behind=FORGED>'), refused(403, 'forged-token'));
  assert.deepEqual(routes('<http://sip.example.com>'), refused(400, 'bad-route'));
});

test('a strict router leaves our URI in the Request-URI (RFC 3261 §16.4)', () => {
  const decision = decide('BYE', 'sip:TOKEN@sip.example.com:443;lr;behind=SEALED', {
    Route: '<sip:~hidden@sip.example.com>',
  });
  assert.equal(decision.kind, 'forward');
  if (decision.kind !== 'forward') return;
  assert.equal(decision.requestUri, 'sip:bob@10.45.32.99');
  assert.deepEqual(decision.routes, ['<sip:fe1.corp.example;lr>']);
});

test('a hidden target is opened', () => {
  const decision = decide('BYE', 'sip:~hidden@sip.example.com:443');
  assert.equal(decision.kind === 'forward' && decision.requestUri, 'sip:bob@10.45.32.99');
});

test('REGISTER gets a Path, with outbound support if it registers a flow with us as first hop', () => {
  const path = (change: Parameters<typeof request>[2]) => {
    const decision = decide('REGISTER', 'sip:example.com', change);
    return decision.kind === 'forward' ? decision.path : decision;
  };
  assert.equal(path({ Contact: '<sip:alice@192.168.1.5>' }), 'flow');
  const Contact = '<sip:alice@192.168.1.5>;reg-id=1;+sip.instance="<urn:uuid:1>"';
  assert.equal(path({ Contact }), 'outbound');
  assert.equal(path({ Contact, Via: ['SIP/2.0/TLS p.test', 'SIP/2.0/TLS 192.168.1.5'] }), 'flow');
});

test('we record the route of what begins a dialog, and of nothing else', () => {
  const records = (method: string, To?: string) => {
    const decision = decide(method, 'sip:carol@example.com', To === undefined ? {} : { To });
    return decision.kind === 'forward' && decision.recordRoute;
  };
  for (const method of ['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY']) assert.ok(records(method), method);
  for (const method of ['MESSAGE', 'REGISTER', 'PUBLISH', 'BYE']) assert.ok(!records(method), method);
  for (const method of ['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE'])
    assert.ok(!records(method, '<sip:carol@example.com>;tag=c1'), method);
  // RFC 6665 §4.3: each of them, for it may be the first of its sender.
  assert.ok(records('NOTIFY', '<sip:carol@example.com>;tag=c1'));
});

test('a route that was good is good no longer when its token or its seal is not', () => {
  const Route = '<sip:TOKEN@sip.example.com:443;lr;behind=SEALED>';
  const bye = asRequest(request('BYE', 'sip:carol@example.com', { Route }));
  assert.equal(decideClientRequest(bye, known, settings).kind, 'forward');
  const later = [
    { ...known, isOurToken: () => false },
    { ...known, unfold: () => undefined },
  ];
  for (const each of later)
    assert.deepEqual(decideClientRequest(bye, each, settings), refused(403, 'forged-token'));
});
