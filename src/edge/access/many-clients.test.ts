import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { signIn } from './testing/plays.ts';

/** Sources of the flood: addresses of this machine that nothing else here uses. */
const SOURCES = 50;
const EACH = 100;

test('S7, S8: 5,000 connections at once, from fifty sources, and who is signed in notices nothing', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) =>
      Object.assign(policy.limits.access, { connections: 1000, connectionsPerSource: 5, handshakes: 500 }),
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  const flood: Socket[] = [];
  t.after(() => {
    for (const socket of flood) socket.destroy();
  });
  let closed = 0;
  for (let i = 0; i < SOURCES * EACH; i++) {
    const localAddress = `127.0.10.${1 + (i % SOURCES)}`;
    const socket = connect({ host: '127.0.9.10', port: lab.externalPort, localAddress });
    socket.on('error', () => {});
    socket.on('close', () => (closed += 1));
    // A ClientHello that is never finished.
    socket.write(Buffer.from([0x16, 3, 1]));
    flood.push(socket);
    // Below the backlog of the listener: what the system drops would come again only seconds later.
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { connectionsPerSource, handshakes } = lab.document.policy.limits.access;
  const most = Math.min(SOURCES * connectionsPerSource, handshakes);
  for (let look = 0; closed < SOURCES * EACH - most; look++) {
    client.sends(request('MESSAGE', 'sip:bob@example.com', { Via: `SIP/2.0/TLS h;branch=z9hG4bKf${look}` }));
    fe.answers(await fe.receivesRequest('MESSAGE'), 200);
    await client.receives(200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const text = await lab.metrics.text();
  assert.match(text, /refused_total\{[^}]*"too-many-from-source"[^}]*\} [1-9]/);
  const newcomer = await lab.client();
  await signIn(newcomer, fe, 'carol');
});
