import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Capture, peerLabel } from '#platform/telemetry';
import type { LogRecord } from '#protocols/log-query';
import {
  contentManager,
  encodeObserved,
  encodeOperation,
  meeting,
  meetingInterfaces,
  PsomPeer,
  poll,
  uploadStream,
} from '#protocols/psom';
import { buildRequest } from '#protocols/sip';
import {
  AttributeType,
  encodeMessageIntegrity,
  encodeText,
  MessageClass,
  Method,
  messageType,
  StunWriter,
} from '#protocols/stun';
import { participantTrace, recordOf, sipKeys, traceOf } from './index.ts';

const peer = peerLabel(3, {
  local: { address: '192.0.2.10', port: 443 },
  remote: { address: '198.51.100.7', port: 51_000 },
});
function capture(bytes: Uint8Array, protocol: Capture['protocol'] = 'sip'): Capture {
  const provider = { sip: 'Sip', stun: 'Stun', 'ms-turn': 'Stun', xmpp: 'Xmpp', psom: 'Psom' } as const;
  const what = { time: 1000, level: 'info', direction: 'in', peer, length: bytes.length } as const;
  return { ...what, provider: provider[protocol], protocol, bytes };
}
const everything = (record: LogRecord) => JSON.stringify(record);

const SECRETS = [
  's3cr3t-response',
  's3cr3t-nonce',
  's3cr3t-ticket',
  's3cr3t-password',
  's3cr3t-token',
  's3cr3t-key',
];
const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'k=clear:s3cr3t-key',
  'm=audio 5000 RTP/SAVP 0',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:s3cr3t-key|2^20',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:s3cr3t-password',
  'a=key-mgmt:mikey s3cr3t-key',
  '',
].join('\r\n');

function invite(body = SDP, type = 'application/sdp'): Buffer {
  return buildRequest({
    method: 'INVITE',
    uri: 'sip:+390612345@example.com;user=phone',
    headers: [
      ['Via', 'SIP/2.0/TLS 198.51.100.7;branch=z9hG4bKa'],
      ['Max-Forwards', '70'],
      ['From', '<sip:Alice@Example.com>;tag=1'],
      ['To', '<sip:+390612345@example.com;user=phone>'],
      ['Call-ID', 'call-1@host'],
      ['CSeq', '7 INVITE'],
      ['Contact', '<sip:alice:s3cr3t-password@198.51.100.7;access-token=s3cr3t-token>'],
      [
        'Proxy-Authorization',
        'Digest username="alice", realm="example.com", nonce="s3cr3t-nonce", response="s3cr3t-response"',
      ],
      ['Authorization', 'NTLM qop="auth", realm="x", gssapi-data="s3cr3t-ticket"'],
      ['P-Asserted-Identity', '<sip:alice@example.com>'],
      ['X-Session-Token', 's3cr3t-token'],
      ['Cookie', 'a=s3cr3t-token'],
      ['Content-Type', type],
    ],
    body: Buffer.from(body),
  });
}

test('a SIP message is told with its head, its keys and no proof of anything', () => {
  const record = recordOf(capture(invite()), false);
  for (const secret of SECRETS) assert.ok(!everything(record).includes(secret), secret);
  assert.match(record.text, /^INVITE sip:\+390612345@example\.com;user=phone SIP\/2\.0\r\n/);
  assert.match(
    record.text,
    /\r\nProxy-Authorization: Digest username="alice", realm="example.com", \[taken out\]\r\n/,
  );
  assert.match(record.text, /\r\nP-Asserted-Identity: <sip:alice@example\.com>\r\n/);
  assert.match(record.text, /\[\d+ octets of application\/sdp\]$/);
  assert.equal(record.body, undefined);
  assert.deepEqual(record.fields, { method: 'INVITE', cseq: 7 });
  assert.deepEqual(record.keys, {
    callId: ['call-1@host'],
    uri: ['alice@example.com', '+390612345@example.com'],
    trace: [traceOf('call-1@host')],
    domain: ['example.com'],
    phone: ['+390612345'],
    address: ['198.51.100.7'],
  });
  assert.deepEqual(
    [record.time, record.component, record.name, record.direction, record.connection, record.remote],
    [1000, 'sip', 'sip-message', 'in', '3', '198.51.100.7:51000'],
  );
});

/** A message in which nothing is secret, but for what is added. */
function plain(extra: readonly string[] = [], uri = 'sip:bob@example.com'): string {
  return [
    `MESSAGE ${uri} SIP/2.0`,
    'Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKa',
    'Max-Forwards: 70',
    'From: "Alice: at @home" <sip:alice@example.com:5061>;tag=1',
    'To: <sip:bob@example.com>',
    'call-id:  call-1@host ',
    'CSeq: 7 MESSAGE',
    ...extra,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

test('a head with nothing to hide is told as it was on the wire', () => {
  const written = plain(['Subject: sip: a thing: @ 5', 'P-Asserted-Identity: <sip:alice@example.com>']);
  assert.equal(recordOf(capture(Buffer.from(written)), false).text, written);
});

test('whatever must not be seen is taken out where nothing else in the head gives it away', () => {
  const lines = [
    'Identity: s3cr3t',
    'identity : s3cr3t',
    'Cookie: a=s3cr3t',
    'Set-Cookie: s3cr3t',
    'Authorization: Digest username="a", response="s3cr3t"',
    'WWW-Authenticate: Digest realm="a", nonce="s3cr3t"',
    'Authentication-Info: rspauth="s3cr3t"',
    'X-Api-Key: s3cr3t',
    'X-ApiKey: s3cr3t',
    'X-Private-Key: s3cr3t',
    'X-Session-Key: s3cr3t',
    'X-Credential: s3cr3t',
    'X-Assertion: s3cr3t',
    'X-Passwd: s3cr3t',
    'X-SECRET: s3cr3t',
    'X-Token: s3cr3t',
    'Contact: <sip:a:s3cr3t@h>',
    'Contact: <sip:a@h>, sips:a:s3cr3t@h',
    'm: <SIP:a:s3cr3t@h>',
    'X-Folded: sip:a:\r\n s3cr3t@h',
    'X-Folded: ;x-token\r\n\t=s3cr3t',
    'Contact: <sip:a@h;pwd=s3cr3t>',
    'Contact: <sip:a@h>;x-token="s3cr3t; s3cr3t"',
    'Contact: <sip:a@h>; x-token = s3cr3t',
    'Contact: <sip:a@h?my-password=s3cr3t>',
    'X-Odd: "sip:a:\\\u0001s3cr3t@h"',
    'X-Odd: sip:a:\u00a0s3cr3t@h',
  ];
  for (const line of lines) {
    const { text, fields } = recordOf(capture(Buffer.from(plain([line]))), false);
    assert.equal(fields?.cseq, 7, line);
    assert.doesNotMatch(text, /s3cr3t(?!@h)/, line);
    if (!line.startsWith('X-')) assert.doesNotMatch(text, /s3cr3t/, line);
  }
  const { text } = recordOf(capture(Buffer.from(plain([], 'sip:bob:s3cr3t@example.com'))), false);
  assert.match(text, /^MESSAGE sip:bob:\[taken out\]@example\.com SIP/);
});

test('who asks for bodies gets them without keys, passwords and tokens', () => {
  const { body } = recordOf(capture(invite()), true);
  assert.match(body ?? '', /a=ice-ufrag:abcd\r\na=ice-pwd:\[taken out\]\r\n/);
  assert.match(body ?? '', /a=crypto:1 AES_CM_128_HMAC_SHA1_80 \[taken out\]/);
  const mras =
    '<credentials><username>u</username><password>s3cr3t-password</password><realm token="s3cr3t-token">r</realm></credentials>';
  const asked = [
    invite(mras, 'application/msrtc-media-relay-auth+xml'),
    invite('{"access_token": "s3cr3t-token", "key": "s3cr3t-key", "a": 1}', 'application/json'),
    invite('Authorization: Bearer s3cr3t-token\r\nhello', 'message/http'),
    invite('s3cr3t-key', 'application/octet-stream'),
    invite(),
  ].map((bytes) => recordOf(capture(bytes), true));
  for (const record of asked)
    for (const secret of SECRETS)
      assert.ok(!everything(record).includes(secret), `${secret} in ${record.body}`);
  assert.match(asked[1]?.body ?? '', /"a": 1/);
  assert.equal(recordOf(capture(invite('hello there', 'text/plain')), true).body, 'hello there');
});

test('a message whose end was cut off, or that is none, shows nothing that nobody has read', () => {
  const whole = invite('x'.repeat(5000), 'text/plain');
  const cut = { ...capture(whole.subarray(0, whole.length - 4000)), length: whole.length };
  const record = recordOf(cut, true);
  assert.match(record.text, /^INVITE .*\[the rest of \d+ octets\]$/s);
  assert.deepEqual(record.keys.callId, ['call-1@host']);
  assert.equal(record.body, undefined);
  const nonsense = recordOf(
    capture(Buffer.from('GET / HTTP/1.1\r\nAuthorization: Basic s3cr3t-password\r\n\r\n')),
    true,
  );
  assert.match(nonsense.text, /^\[\d+ octets that could not be read\]$/);
});

test('a conference is found by its id', () => {
  for (const [focus, id] of [
    ['sip:org@example.com;gruu;opaque=app:conf:focus:id:AB12CD', 'ab12cd'],
    ['sip:abcdefgh234567xy@conf.example.com', 'abcdefgh234567xy'],
  ] as const) {
    const text = invite().toString().replaceAll('sip:+390612345@example.com;user=phone', focus);
    assert.deepEqual(recordOf(capture(Buffer.from(text)), false).keys.conference, [id]);
  }
});

test('TURN is told attribute by attribute, and whose credential it is by its trace', () => {
  const writer = new StunWriter().begin(
    Buffer.alloc(512),
    Method.Allocate,
    MessageClass.Request,
    Buffer.from('0123456789ab'),
  );
  encodeText(writer, AttributeType.Username, Buffer.from('1999999999:alice'));
  encodeText(writer, AttributeType.Realm, Buffer.from('example.com'));
  encodeText(writer, AttributeType.Nonce, Buffer.from('s3cr3t-nonce'));
  encodeMessageIntegrity(writer, Buffer.from('key'));
  const record = recordOf(capture(Buffer.from(writer.bytes), 'stun'), true);
  assert.equal(messageType(Method.Allocate, MessageClass.Request), 3);
  assert.deepEqual(record.text.split('\n'), [
    'Allocate request, transaction 303132333435363738396162',
    `Username: rest credential of ${traceOf('rest:alice')}`,
    'Realm: example.com',
    'Nonce: [taken out]',
    'MessageIntegrity: [taken out]',
  ]);
  assert.deepEqual(record.keys.trace, [traceOf('rest:alice')]);
  assert.ok(!everything(record).includes(Buffer.from('s3cr3t-nonce').toString('hex')));
  assert.match(recordOf(capture(Buffer.from([1, 2, 3]), 'stun'), false).text, /could not be read/);
  assert.match(recordOf(capture(Buffer.from([1, 2, 3]), 'ms-turn'), false).text, /could not be read/);
});

test('a stanza is told without what people wrote, unless somebody asks for it', () => {
  const stanza = Buffer.from(
    `<message from='a@x.example/1' to="b@y.example" type="chat" id="m1"><body>hello there</body><password>s3cr3t-password</password></message>`,
  );
  const told = recordOf(capture(stanza, 'xmpp'), false);
  assert.match(told.text, /<body>\[11 characters\]<\/body>/);
  assert.deepEqual(told.keys.uri, ['a@x.example', 'b@y.example']);
  assert.deepEqual(told.keys.domain, ['x.example', 'y.example']);
  assert.equal(told.body, undefined);
  const asked = recordOf(capture(stanza, 'xmpp'), true);
  assert.match(asked.body ?? '', /<body>hello there<\/body>/);
  assert.ok(!everything(asked).includes('s3cr3t-password'));
});

test('a trace is the same everywhere and tells nothing', () => {
  assert.equal(traceOf('token:ab'), traceOf('token:ab'));
  assert.match(traceOf('x'), /^[0-9a-f]{16}$/);
  assert.equal(typeof sipKeys, 'function');
});

test('names and passwords without end are shown or taken out like any other', () => {
  const long = [
    `<message from='a@x' ${'passw'.repeat(3500)}></message>`,
    `<message from='a@x'>${'"key'.repeat(4000)}</message>`,
  ];
  for (const text of long) {
    assert.deepEqual(recordOf(capture(Buffer.from(text), 'xmpp'), true).fields, { method: 'message' });
  }
  const headers = [
    `;${'token'.repeat(1500)}`,
    'sip:'.repeat(1800),
    `sip:a:${'b'.repeat(900)}@h`,
    `"x" <SIPS:${'a'.repeat(300)}:${'b'.repeat(5000)}@h>, sip:c@h, sip:d:e@h`,
  ];
  const texts = headers.map((value) => {
    const message = invite().toString().replace('X-Session-Token: s3cr3t-token', `X-Long: ${value}`);
    return recordOf(capture(Buffer.from(message)), true).text;
  });
  assert.match(texts[0] ?? '', /X-Long: ;token/);
  assert.match(texts[2] ?? '', /X-Long: sip:a:\[taken out\]@h\r\n/);
  const taken = /X-Long: "x" <SIPS:a{300}:\[taken out\]@h>, sip:c@h, sip:d:\[taken out\]@h\r\n/;
  assert.match(texts[3] ?? '', taken);
});

/** The frame of a call, as a real end writes it. */
function psomCall(
  side: 'client' | 'server',
  declared: (typeof meetingInterfaces)[number],
  method: string,
  parameters: Parameters<PsomPeer['call']>[2],
): Buffer {
  const limits = { frameBytes: 65_535, frameMs: 1000, objects: 8, depth: 4, nameLength: 64 };
  const peer = new PsomPeer({ side, root: declared, interfaces: meetingInterfaces, limits });
  assert.equal(peer.call(peer.root, method, parameters), true);
  return Buffer.concat(peer.takeOutput());
}
function psomCapture(
  from: 'in' | 'out',
  of: { readonly object?: string; readonly interface: string; readonly method?: string },
  frame: Uint8Array,
): Capture {
  const { object = 'Meeting', method = '' } = of;
  const place = { conference: 'abcdefghijklmno2', participant: 2 ** 40, object };
  const bytes = encodeObserved({ ...place, interface: of.interface, method, frame });
  return { ...capture(bytes, 'psom'), direction: from };
}

test('PSOM: operation, object, interface, method and size; what people wrote only for who asks for bodies', () => {
  const title = psomCall('client', contentManager, 'sReserveTitle', ['s3cr3t-plans.pdf', 7]);
  const about = { object: 'ContentManager', interface: 'ContentManager', method: 'sReserveTitle' };
  const asked = psomCapture('in', about, title);
  const { text, body, fields, keys, name } = recordOf(asked, false);
  assert.equal(name, 'psom-operation');
  assert.equal(
    text,
    `CALL ContentManager.sReserveTitle\nobject: ContentManager\nproxy: 0\noctets: ${title.length}`,
  );
  assert.equal(body, undefined);
  assert.deepEqual(fields, {
    operation: 'CALL',
    object: 'ContentManager',
    proxy: 0,
    interface: 'ContentManager',
    method: 'sReserveTitle',
    octets: title.length,
    participant: 2 ** 40,
  });
  assert.deepEqual(keys, {
    address: ['198.51.100.7'],
    conference: ['abcdefghijklmno2'],
    trace: [participantTrace('abcdefghijklmno2', 2 ** 40)],
  });
  assert.doesNotMatch(everything(recordOf(asked, false)), /plans/);
  assert.equal(recordOf(asked, true).body, 'title: "s3cr3t-plans.pdf"\ncookie: 7');
});

test('PSOM: tokens, keys and octets of files are in no record, not even for who asks for bodies', () => {
  const token = psomCall('server', meeting, 'cSetResumeToken', ['s3cr3t-token']);
  const told = recordOf(psomCapture('out', { interface: 'Meeting', method: 'cSetResumeToken' }, token), true);
  assert.equal(told.body, 'token: [taken out]');
  const piece = psomCall('client', uploadStream, 'sWrite', [Buffer.from('s3cr3t-key')]);
  const written = recordOf(psomCapture('in', { interface: 'UploadStream', method: 'sWrite' }, piece), true);
  assert.equal(written.body, 'chunk: [10 octets]');
  for (const record of [told, written]) assert.doesNotMatch(everything(record), /s3cr3t/);
  const joined = encodeOperation({ kind: 'joined', resumeToken: 's3cr3t-token' });
  const unread = recordOf(psomCapture('out', { interface: '' }, joined), true);
  assert.match(unread.text, /could not be read/);
  assert.doesNotMatch(everything(unread), /s3cr3t/);
});

test('PSOM: a frame that was cut, a reason, a name that an object was given', () => {
  const question = psomCall('client', poll, 'sSetQuestion', ['q'.repeat(2000), ['yes', 'no'], false]);
  const cut = psomCapture('in', { interface: 'Poll', method: 'sSetQuestion' }, question.subarray(0, 1024));
  assert.equal(recordOf(cut, true).body, 'question: [cut]\nchoices: [cut]\nseveral: [cut]');
  assert.equal(recordOf(cut, true).fields?.octets, question.length);
  const gone = encodeOperation({ kind: 'disconnect', proxy: 9, reason: 'not-allowed' });
  const leaving = recordOf(psomCapture('out', { object: 'content.3', interface: 'Poll' }, gone), true);
  assert.equal(leaving.text, 'DISCONNECT Poll\nobject: content.3\nproxy: 9\noctets: 8');
  assert.equal(leaving.fields?.reason, 'not-allowed');
  const { version, serverHash, clientHash } = poll;
  const connect = encodeOperation({
    kind: 'connect',
    parent: 1,
    proxy: 258,
    name: 's3cr3t',
    ...{ interface: 'Poll', version, serverHash, clientHash },
  });
  const made = psomCapture('in', { object: '[6 characters]', interface: 'Poll' }, connect);
  assert.equal(recordOf(made, false).fields?.proxy, 258);
  assert.doesNotMatch(everything(recordOf(made, false)), /s3cr3t/);
  assert.equal(recordOf(made, true).body, 'name: s3cr3t');
  const strange = recordOf(
    psomCapture('in', { interface: '', method: '#4' }, psomCall('client', poll, 'sVote', [[1]])),
    true,
  );
  assert.equal(strange.text.split('\n')[0], 'CALL #4');
  assert.equal(strange.body, undefined);
});
