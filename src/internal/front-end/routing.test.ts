import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mrasUri } from './provisioning.ts';
import { type Routed, routeRequest, type Surroundings } from './routing.ts';
import { type RequestSketch, request } from './testing/messages.ts';

const around: Surroundings = {
  hosts: new Set(['fe1.int.test', '10.0.0.4']),
  domains: new Set(['example.test']),
  peers: new Map([['xmpp.example', 'gateway.internal.test']]),
  conferences: new Set<string>(),
  edges: new Map([
    ['edge1.int.test', 'edge1.int.test'],
    ['10.0.0.1', 'edge1.int.test'],
  ]),
};

function route(sketch: RequestSketch): Routed {
  return routeRequest(request(sketch), around);
}

/** What the tests compare: the destination, refusals without their headers, and how many routes are left. */
function facts({ destination, plan }: Routed) {
  if (destination.kind !== 'refused') return { destination, rest: plan.rest.length };
  const { kind, status, reason } = destination;
  return { destination: { kind, status, reason }, rest: plan.rest.length };
}

test('requests without routes go by method and Request-URI', () => {
  const cases: readonly (readonly [RequestSketch, unknown])[] = [
    [{ uri: 'sip:example.test' }, { kind: 'registrar' }],
    [{ method: 'OPTIONS', uri: 'sip:fe1.int.test' }, { kind: 'options' }],
    [
      { method: 'MESSAGE', uri: 'sip:Bob@Example.test' },
      { kind: 'user', aor: 'bob@example.test' },
    ],
    [
      { method: 'INVITE', uri: 'sips:bob@example.test' },
      { kind: 'user', aor: 'bob@example.test' },
    ],
    [
      { method: 'REGISTER', uri: 'sip:bob@elsewhere.test' },
      { kind: 'refused', status: 403, reason: 'foreign-domain' },
    ],
    [{ method: 'MESSAGE', uri: 'sip:bob@elsewhere.test' }, { kind: 'partner' }],
    [
      { method: 'MESSAGE', uri: 'tel:+33' },
      { kind: 'refused', status: 416, reason: 'uri-scheme' },
    ],
    [
      {
        method: 'SUBSCRIBE',
        uri: 'sip:alice@example.test',
        headers: [['Event', 'vnd-microsoft-provisioning-v2']],
      },
      { kind: 'provisioning' },
    ],
    [
      { method: 'SUBSCRIBE', uri: 'sip:bob@example.test', headers: [['Event', 'dialog']] },
      { kind: 'user', aor: 'bob@example.test' },
    ],
    [
      { method: 'SUBSCRIBE', uri: 'sip:bob@example.test', headers: [['Event', 'presence']] },
      { kind: 'presence' },
    ],
    [
      { method: 'SUBSCRIBE', uri: 'sip:bob@partner.example', headers: [['Event', 'presence']] },
      { kind: 'partner' },
    ],
    [
      { method: 'PUBLISH', uri: 'sip:bob@example.test', headers: [['Event', 'dialog']] },
      { kind: 'presence' },
    ],
    [
      { method: 'SERVICE', uri: mrasUri('edge1.int.test', 'example.test') },
      { kind: 'relay-credentials', edge: 'edge1.int.test' },
    ],
    [
      { method: 'SERVICE', uri: mrasUri('edge9.int.test', 'example.test') },
      { kind: 'refused', status: 404, reason: 'unknown-service' },
    ],
    [
      { method: 'SERVICE', uri: 'sip:bob@example.test' },
      { kind: 'refused', status: 404, reason: 'unknown-service' },
    ],
  ];
  for (const [sketch, destination] of cases) {
    assert.deepEqual(facts(route(sketch)), { destination, rest: 0 }, JSON.stringify(sketch));
  }
});

test('routes of ours are taken off and their tokens kept; an edge may follow, nobody else', () => {
  const bye = (...routes: string[]): RequestSketch => ({
    method: 'BYE',
    uri: 'sip:bob@10.0.0.50:5061',
    to: '<sip:bob@example.test>;tag=t1',
    headers: routes.map((value) => ['Route', value] as const),
  });
  assert.deepEqual(facts(route(bye('<sip:tok1@10.0.0.4:5061;lr>', '<sip:tok2@fe1.int.test;lr>'))), {
    destination: { kind: 'flow', tokens: ['tok1', 'tok2'] },
    rest: 0,
  });
  assert.deepEqual(
    facts(
      route(bye('<sip:tok1@10.0.0.4:5061;lr>', '<sip:x@10.0.0.1:5061;lr>', '<sip:y@sip.example.test;lr>')),
    ),
    {
      destination: { kind: 'edge', edge: 'edge1.int.test', tokens: ['tok1'] },
      rest: 2,
    },
  );
  assert.deepEqual(facts(route(bye('<sip:x@edge1.int.test;lr>'))).destination, {
    kind: 'edge',
    edge: 'edge1.int.test',
    tokens: [],
  });
  assert.deepEqual(facts(route(bye('<sip:tok1@10.0.0.4;lr>', '<sip:evil.test;lr>'))).destination, {
    kind: 'refused',
    status: 403,
    reason: 'foreign-route',
  });
});

test('what a proxy must refuse', () => {
  assert.deepEqual(facts(route({ headers: [['Proxy-Require', 'something']] })).destination, {
    kind: 'refused',
    status: 420,
    reason: 'proxy-require',
  });
  assert.deepEqual(facts(route({ headers: [['Proxy-Require', 'ms-benotify']] })).destination, {
    kind: 'registrar',
  });
});
