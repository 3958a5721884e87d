import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessSettings } from '../settings.ts';
import { testDocument } from '../testing/document.ts';
import { asRequest, request } from '../testing/messages.ts';
import { decideNextHopRequest } from './from-next-hop.ts';

const settings = accessSettings(testDocument());
const decide = (...message: Parameters<typeof request>) =>
  decideNextHopRequest(asRequest(request(...message)), settings);
const refused = (status: number, reason: string) => ({ kind: 'refuse', status, reason });
const carol = 'sip:carol@192.168.7.7:40002;transport=tls';

test('a request goes to the connection that our topmost route names', () => {
  const delivered = {
    kind: 'deliver',
    token: 'TOKEN',
    routes: [],
    requestUri: undefined,
    recordRoute: false,
  };
  const Route = '<sip:TOKEN@edge1.corp.example:5061;transport=tls;lr;ob>';
  assert.deepEqual(decide('MESSAGE', carol, { Route }), delivered);
  assert.deepEqual(decide('MESSAGE', carol, { Route: '<sip:TOKEN@127.0.9.20:5061;lr>' }), delivered);
});

test('both entries of a dialog are consumed, what the client recorded behind them stays', () => {
  const Route = [
    '<sip:TOKEN@edge1.corp.example:5061;transport=tls;lr>, <sip:TOKEN@sip.example.com:443;transport=tls;lr>',
    '<sip:proxy.home.example;lr>',
  ];
  const decision = decide('BYE', carol, { Route });
  assert.deepEqual(decision.kind === 'deliver' && [decision.token, decision.routes], [
    'TOKEN',
    ['<sip:proxy.home.example;lr>'],
  ]);
});

test('a strict router behind us gets the target behind its routes (RFC 3261 §16.6 step 6)', () => {
  const own = ['<sip:TOKEN@edge1.corp.example;lr>', '<sip:TOKEN@sip.example.com;lr>'];
  const [strict, loose] = ['sip:strict.home.example', '<sip:proxy.home.example;lr>'];
  const leaves = (uri: string, ...Route: string[]) => {
    const decision = decide('BYE', uri, { Route });
    return decision.kind === 'deliver' && [decision.token, decision.requestUri, ...decision.routes];
  };
  assert.deepEqual(leaves(carol, ...own, `<${strict}>`, loose), ['TOKEN', strict, loose, `<${carol}>`]);
  assert.deepEqual(leaves(carol, ...own, loose, `<${strict}>`), ['TOKEN', undefined, loose, `<${strict}>`]);
  // Of a strict router inside, too.
  const from = 'sip:TOKEN@edge1.corp.example;lr';
  const last = [own[1] ?? '', `<${strict}>`, `<${carol}>`];
  assert.deepEqual(leaves(from, ...last), ['TOKEN', strict, `<${carol}>`]);
});

test('without a route of ours a request goes nowhere', () => {
  assert.deepEqual(decide('MESSAGE', carol), refused(404, 'no-flow'));
  assert.deepEqual(
    decide('MESSAGE', carol, { Route: '<sip:elsewhere.example;lr>' }),
    refused(404, 'no-flow'),
  );
  assert.deepEqual(
    decide('MESSAGE', carol, { Route: '<sip:edge1.corp.example;lr>' }),
    refused(404, 'no-flow'),
  );
  assert.deepEqual(decide('MESSAGE', 'sip:TOKEN@edge1.corp.example;lr'), refused(404, 'no-flow'));
});

test('a strict router puts our URI into the Request-URI (RFC 3261 §16.4)', () => {
  const decision = decide('BYE', 'sip:TOKEN@edge1.corp.example:5061;lr', {
    Route: `<sip:TOKEN@sip.example.com:443;lr>, <${carol}>`,
  });
  assert.deepEqual(decision, {
    kind: 'deliver',
    token: 'TOKEN',
    routes: [],
    requestUri: carol,
    recordRoute: false,
  });
});

test('the health check of the next hop is answered here', () => {
  assert.deepEqual(decide('OPTIONS', 'sip:edge1.corp.example:5061'), { kind: 'answer' });
  assert.deepEqual(decide('OPTIONS', 'sip:127.0.9.20'), { kind: 'answer' });
});

test('what any proxy checks', () => {
  const Route = '<sip:TOKEN@edge1.corp.example;lr>';
  assert.deepEqual(decide('NEGOTIATE', carol, { Route }), refused(501, 'negotiate'));
  assert.deepEqual(decide('MESSAGE', carol, { Route, 'Max-Forwards': '0' }), refused(483, 'max-forwards'));
  assert.deepEqual(decide('MESSAGE', carol, { Route, 'Max-Breadth': '0' }), refused(440, 'max-breadth'));
  assert.equal(decide('MESSAGE', carol, { Route, 'Proxy-Require': 'x' }).kind, 'refuse');
});
