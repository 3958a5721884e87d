import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '#kernel';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { signIn } from './testing/plays.ts';

const NUL_PAIR = '"\\\u0000"';

test('NUL as a quoted pair, which may stand in a header, stops nothing', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const via = (branch: string) => `SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bK${branch};rport`;
  client.sends(
    request('MESSAGE', 'sip:carol@example.com', { Via: `${via('a')};x=${NUL_PAIR}`, Contact: NUL_PAIR }),
  );
  const message = await fe.receivesRequest('MESSAGE');
  assert.equal(message.vias()[1]?.parameters.get('x'), '\0');
  fe.answers(message, 200, { headers: [['Contact', `${NUL_PAIR} <sip:carol@fe1.corp.example>`]] });
  await client.receives(200);
  client.sends(
    request('MESSAGE', 'sip:carol@example.com', { Via: via('b'), 'Proxy-Require': `${NUL_PAIR}, x` }),
  );
  await client.receives(420);
});

test('S5: a body is not looked into: whatever it says about its parts, it arrives octet for octet', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const bodies = [
    ['multipart/mixed;boundary=', '--\r\n\r\n----'],
    ['multipart/mixed;boundary=a', '--a\r\nContent-Length: 99999999999\r\n\r\nVia: x\r\n\r\n--a'],
    ['multipart/mixed;boundary="--"', `----${'--'.repeat(4000)}\r\n\0\xff`],
  ] as const;
  for (const [at, [type, body]] of bodies.entries()) {
    const branch = `SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bKbody${at};rport`;
    client.sends(request('MESSAGE', 'sip:carol@example.com', { Via: branch, 'Content-Type': type }, body));
    const message = await fe.receivesRequest('MESSAGE');
    assert.deepEqual(message.body, Buffer.from(body));
    assert.equal(message.header('Content-Type'), type);
    fe.answers(message, 200);
    await client.receives(200);
  }
});

test('a target behind the routes that is no URI for a request line is refused', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const token = /sip:([^@]+)@/.exec(await signIn(client, fe, 'alice'))?.[1];
  const own = `sip:${token}@sip.example.com;lr`;
  client.sends(request('MESSAGE', own, { Route: ['<sip:sip.example.com;lr>', '<a`b:c>'] }));
  await client.receives(400);
});

test('a message that our own headers make too long costs itself only, not the connection to the next hop', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const { messageBytes } = lab.document.policy.limits.access;
  const head = request('MESSAGE', 'sip:carol@example.com').length;
  client.sends(request('MESSAGE', 'sip:carol@example.com', {}, 'x'.repeat(messageBytes - head - 8)));
  await client.receives(513);
  const other = await lab.client();
  other.sends(request('MESSAGE', 'sip:carol@example.com'));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await other.receives(200);
});

test('one client does not fill the table of all', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  for (let i = 0; i < 1001; i++) {
    client.sends(
      request('MESSAGE', 'sip:carol@example.com', {
        Via: `SIP/2.0/TLS h;branch=z9hG4bK${i}`,
        'Call-ID': `c${i}`,
      }),
    );
  }
  const refused = await client.receives(503);
  assert.equal(refused.callId, 'c1000');
});

test('a server that the document no longer names loses the connection that it opened', async (t) => {
  const lab = await AccessLab.start(t, { members: 2 });
  const peer = await lab.internalPeer(['fe2.corp.example']);
  peer.sends(request('OPTIONS', 'sip:edge1.corp.example'));
  await peer.receives(200);
  lab.document.policy.nextHop.members.pop();
  await lab.commit();
  await peer.isClosed();
});

test('clients that write faster than the next hop reads are told so, and its connection stands', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.outboundBytes = 65_536;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  fe.socket.pause();
  const busy = () =>
    lab.metrics.text().then((text) => /refusals_total\{[^}]*"next-hop-busy"[^}]*\} [1-9]/.test(text));
  for (let i = 0; !(await busy()); i++) {
    assert.ok(i < 900, 'never busy');
    const fields = { Via: `SIP/2.0/TLS h;branch=z9hG4bK${i}`, 'Call-ID': `c${i}` };
    client.sends(request('MESSAGE', 'sip:carol@example.com', fields, 'x'.repeat(60_000)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.receives(503);
  fe.socket.resume();
  fe.answers(await fe.receivesRequest('MESSAGE'), 202);
  await until(() => client.shown.includes('SIP/2.0 202 '));
});
