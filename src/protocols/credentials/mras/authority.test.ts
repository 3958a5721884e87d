import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longTermKey } from '#protocols/stun';
import { mediaKeyText, parseMediaKey } from '../media-key.ts';
import { MediaTokenIssuer, MediaTokenVerifier } from '../token.ts';
import { type AuthorityPolicy, answerCredentialsRequest } from './authority.ts';
import { formatMrasRequest, type MrasRequest, mrasLimits } from './request.ts';
import { parseMrasResponse } from './response.ts';

const key = parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, 9))));
assert.ok(key.ok);
const wall = 1_800_000_000_000;
const policy: AuthorityPolicy = {
  issuer: new MediaTokenIssuer(key.value),
  lifetimeMinutes: 480,
  realm: 'example.test',
  relays: [
    {
      location: 'internet',
      hostName: 'av.example.test',
      addresses: ['192.0.2.30', '2001:db8::30'],
      udpPort: 3478,
    },
    {
      location: 'intranet',
      hostName: 'edge.corp.test',
      addresses: ['198.51.100.10'],
      udpPort: 3478,
      tcpPort: 443,
    },
  ],
  limits: mrasLimits,
};
const asked: MrasRequest = {
  requestId: 'R',
  version: '1.0',
  to: 'sip:edge@example.test',
  from: 'sip:alice@example.test',
  route: 'loadbalanced',
  credentials: [{ id: 'C', identity: 'sip:alice@example.test', location: 'internet', duration: 480 }],
};

function ask(request: Partial<MrasRequest>, with_: Partial<AuthorityPolicy> = {}) {
  const answer = answerCredentialsRequest(
    formatMrasRequest({ ...asked, ...request }),
    { ...policy, ...with_ },
    wall,
  );
  const parsed = parseMrasResponse(answer.body);
  assert.ok(parsed.ok);
  assert.equal(parsed.value.reason, answer.reason);
  return parsed.value;
}

test('the whole answer, byte for byte but for the token', () => {
  const answer = answerCredentialsRequest(formatMrasRequest(asked), policy, wall);
  assert.equal(answer.issued, 1);
  assert.equal(
    answer.body.toString().replace(/<(username|password)>[A-Za-z0-9+/=]+</g, '<$1>B64<'),
    '<?xml version="1.0"?><response xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" requestID="R" version="1.0" ' +
      'serverVersion="2.0" to="sip:edge@example.test" from="sip:alice@example.test" reasonPhrase="OK">' +
      '<credentialsResponse credentialsRequestID="C"><credentials><username>B64</username><password>B64</password>' +
      '<duration>480</duration><realm>example.test</realm></credentials><mediaRelayList><mediaRelay>' +
      '<location>internet</location><hostName>av.example.test</hostName><udpPort>3478</udpPort>' +
      '</mediaRelay></mediaRelayList></credentialsResponse></response>',
  );
});

test('the credentials are good at a relay that knows only the key', () => {
  const issued = ask({}).credentials[0]?.credentials;
  assert.ok(issued !== undefined);
  const username = Buffer.from(issued.username);
  const found = new MediaTokenVerifier([{ key: key.value, until: Number.POSITIVE_INFINITY }]).lookup(
    username,
    'example.test',
    wall,
  );
  assert.ok(found.ok);
  assert.deepEqual(found.value.keys[0], longTermKey(username, 'example.test', issued.password));
});

test('location: one side only, or both when none is asked for; names are never crossed', () => {
  const relays = (location?: 'internet' | 'intranet') =>
    ask({ credentials: [{ id: 'C', identity: 'sip:a@example.test', ...(location ? { location } : {}) }] })
      .credentials[0]?.relays;
  const outside = { location: 'internet', hostName: 'av.example.test', udpPort: 3478 };
  const inside = { location: 'intranet', hostName: 'edge.corp.test', udpPort: 3478, tcpPort: 443 };
  assert.deepEqual(relays('internet'), [outside]);
  assert.deepEqual(relays('intranet'), [inside]);
  assert.deepEqual(relays(), [outside, inside]);
});

test('route directip: addresses instead of names', () => {
  assert.deepEqual(ask({ route: 'directip' }).credentials[0]?.relays, [
    { location: 'internet', directIpAddress: '192.0.2.30', udpPort: 3478 },
    { location: 'internet', directIpAddress: '2001:db8::30', udpPort: 3478 },
  ]);
});

test('duration: the shorter of asked and allowed; as long as allowed when none is asked', () => {
  const granted = (duration?: number, lifetimeMinutes = 480) =>
    ask(
      { credentials: [{ id: 'C', identity: 'sip:a@example.test', ...(duration ? { duration } : {}) }] },
      { lifetimeMinutes },
    ).credentials[0]?.credentials.duration;
  assert.equal(granted(1), 1);
  assert.equal(granted(481), 480);
  assert.equal(granted(), 480);
  assert.equal(granted(400_000, 259_200), 259_200);
});

test('several requests in one: an answer each, in order', () => {
  const credentials = ['a', 'b', 'c'].map((id) => ({ id, identity: `sip:${id}@example.test` }));
  const { credentials: answers } = ask({ credentials });
  assert.deepEqual(
    answers.map((answer) => answer.id),
    ['a', 'b', 'c'],
  );
  assert.equal(new Set(answers.map((answer) => answer.credentials.username)).size, 3);
});

test('failures carry the reason and what can be echoed, and no credentials', () => {
  const bare = (reason: string) =>
    '<?xml version="1.0"?><response xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" ' +
    `serverVersion="1.0" reasonPhrase="${reason}"></response>`;
  const raw = (body: string) => answerCredentialsRequest(Buffer.from(body), policy, wall).body.toString();
  assert.equal(raw(''), bare('Request Malformed'));
  assert.equal(raw('<request/>'), bare('Request Malformed'));
  assert.equal(raw('x'.repeat(70_000)), bare('Request Too Large'));
  const keyless = answerCredentialsRequest(formatMrasRequest(asked), { ...policy, issuer: undefined }, wall);
  assert.equal(keyless.body.toString(), bare('Not Supported'));
  assert.deepEqual(ask({ version: '3.0' }), {
    requestId: 'R',
    version: '3.0',
    serverVersion: '2.0',
    to: asked.to,
    from: asked.from,
    reason: 'Version Mismatch',
    credentials: [],
  });
  const busy = parseMrasResponse(
    answerCredentialsRequest(formatMrasRequest(asked), policy, wall, { refusal: 'Server Busy' }).body,
  );
  assert.ok(busy.ok && busy.value.reason === 'Server Busy');
  assert.equal(ask({}, { relays: policy.relays.slice(1) }).reason, 'Other Failure');
});

test('a request is answered whole or not at all: forbidden, out of time, an error of our own', () => {
  const body = formatMrasRequest({
    ...asked,
    credentials: ['a', 'b', 'c'].map((id) => ({ id, identity: `sip:${id}@example.test` })),
  });
  const answer = (
    issuer: AuthorityPolicy['issuer'],
    asking: Parameters<typeof answerCredentialsRequest>[3],
  ) => {
    const {
      reason,
      issued,
      fault,
      body: xml,
    } = answerCredentialsRequest(body, { ...policy, issuer }, wall, asking);
    const parsed = parseMrasResponse(xml);
    assert.ok(parsed.ok && parsed.value.reason === reason && parsed.value.credentials.length === issued);
    assert.equal(parsed.value.requestId, 'R');
    return { reason, issued, fault };
  };
  const none = { issued: 0, fault: undefined };
  assert.deepEqual(answer(policy.issuer, { refusal: 'Forbidden' }), { reason: 'Forbidden', ...none });
  let turns = 0;
  const overdue = () => ++turns > 2;
  assert.deepEqual(answer(policy.issuer, { overdue }), { reason: 'Time Out', ...none });
  assert.deepEqual(answer(policy.issuer, { overdue: () => false }), {
    reason: 'OK',
    issued: 3,
    fault: undefined,
  });
  const fault = new Error('no randomness');
  const broken = {
    issue: () => {
      throw fault;
    },
  };
  assert.deepEqual(answer(broken, {}), { reason: 'Internal Server Error', issued: 0, fault });
});

test('credentials count as the user whom the caller vouches for, whatever identities the body names', () => {
  const verifier = new MediaTokenVerifier([{ key: key.value, until: Number.POSITIVE_INFINITY }]);
  const users = (identity: string, user?: string) => {
    const credentials = [{ id: 'C', identity }];
    const answer = answerCredentialsRequest(formatMrasRequest({ ...asked, credentials }), policy, wall, {
      user,
    });
    const parsed = parseMrasResponse(answer.body);
    const username = parsed.ok ? parsed.value.credentials[0]?.credentials.username : undefined;
    const found = verifier.lookup(Buffer.from(username ?? ''), 'example.test', wall);
    return found.ok ? found.value.user : 'none';
  };
  const alice = users('sip:alice@example.test', 'alice@example.test');
  assert.match(alice, /^token:/);
  assert.equal(users('sip:alice2@example.test', 'alice@example.test'), alice);
  assert.notEqual(users('sip:alice@example.test', 'bob@example.test'), alice);
  const room = users('sip:room@example.test');
  assert.equal(
    users(' SIP:Room@Example.test '),
    room,
    'a server asks in its own name: spelling does not count',
  );
  assert.notEqual(users('sip:room2@example.test'), room);
});

test('an answer that would not fit into a SIP message is Request Too Large', () => {
  const credentials = Array.from({ length: 100 }, (_, n) => ({
    id: `${n}`.padStart(64, 'c'),
    identity: `sip:${n}@example.test`,
  }));
  assert.equal(ask({ credentials }).reason, 'Request Too Large');
  assert.equal(ask({ credentials: credentials.slice(0, 50) }).credentials.length, 50);
});
