import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceOf } from '#platform/message-log';
import { FrameReader, readFrame } from '#platform/telemetry';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';

const info = { level: 'info', bodies: false } as const;

test('a refusal is one event that names the rule, with the keys of its request; nothing is told that nobody asks for', async (t) => {
  const lab = await AccessLab.start(t);
  const quiet = await lab.client();
  quiet.sends(request('MESSAGE', 'sip:bob@example.com', { 'Max-Forwards': '0', 'Call-ID': 'quiet' }));
  await quiet.receives(483);
  assert.ok(lab.events.take(100).every(({ name }) => name !== 'request-refused'));

  lab.events.demand({ providers: { Access: info, Sip: info, Tls: info } });
  const client = await lab.client();
  client.sends(
    request('MESSAGE', 'sip:bob@example.com', {
      'Max-Forwards': '0',
      'Call-ID': 'told',
      From: '<sip:alice@example.com>;tag=1',
      To: '<sip:bob@example.com>',
    }),
  );
  await client.receives(483);
  const items = new FrameReader().push(lab.events.drain(1 << 20) ?? Buffer.alloc(0)).map(readFrame);
  const records = items.flatMap((item) => (item?.type === 'record' ? [item.record] : []));
  const refused = records.filter(({ name }) => name === 'request-refused');
  assert.deepEqual(
    refused.map(({ provider, kind, fields }) => [provider, kind, fields]),
    [['Access', 'decision', { rule: 'max-forwards', peer: 'client', method: 'MESSAGE', status: 483 }]],
  );
  const keys = refused[0]?.keys;
  assert.deepEqual(
    [keys?.callId, keys?.uri, keys?.trace],
    [['told'], ['alice@example.com', 'bob@example.com'], [traceOf('told')]],
  );
  const established = records.find(({ name }) => name === 'tls-established');
  assert.deepEqual(
    [established?.remote, established?.fields?.protocol, established?.fields?.asked],
    [refused[0]?.remote, 'TLSv1.3', 'sip.example.com'],
  );
  const messages = items.flatMap((item) => (item?.type === 'capture' ? [item.capture] : []));
  assert.deepEqual(
    messages.map(({ direction, bytes }) => [
      direction,
      Buffer.from(bytes).toString().split(' ', 2).join(' '),
    ]),
    [
      ['in', 'MESSAGE sip:bob@example.com'],
      ['out', 'SIP/2.0 483'],
    ],
  );
});

test('a handshake that fails is told with its reason, and what cannot be read with its own', async (t) => {
  const lab = await AccessLab.start(t);
  lab.events.demand({ providers: { Sip: info, Tls: info } });
  await assert.rejects(lab.client({ alpn: ['smtp'] }));
  const client = await lab.client();
  const unreadable = request('MESSAGE', 'sip:bob@example.com', { 'Max-Forwards': 'many' });
  client.sends(unreadable);
  await client.receives(400);
  const rules = lab.events
    .take(100)
    .filter(({ name }) => name === 'tls-failed' || name === 'message-not-understood')
    .map(({ name, fields }) => `${name} ${fields.rule}`);
  assert.match(rules.join('; '), /^tls-failed alpn; message-not-understood [\w-]+$/);
});

test('a connection that is closed since it said nothing is one event that names the rule', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.preSignIn.seconds = 1;
    },
  });
  lab.events.demand({ providers: { Access: info } });
  await (await lab.client()).isClosed();
  const items = new FrameReader().push(lab.events.drain(1 << 20) ?? Buffer.alloc(0)).map(readFrame);
  const records = items.flatMap((item) => (item?.type === 'record' ? [item.record] : []));
  const told = records.find(({ name }) => name === 'connection-refused');
  assert.deepEqual(told?.fields, { rule: 'pre-sign-in-seconds', peer: 'client' });
  assert.deepEqual(told?.keys?.address, ['127.0.0.1']);
});
