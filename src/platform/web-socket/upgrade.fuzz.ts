import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { checkUpgrade, readHead, refusalAnswer } from './upgrade.ts';

const MOST = 2048;
const policy = { protocol: 'sip', allowsOrigin: (origin: string) => origin === 'https://app.example' };

const GOOD = [
  'GET /sip HTTP/1.1',
  'Host: sip.example.com',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Origin: https://app.example',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: chat, sip',
  '',
  '',
].join('\r\n');

/** However the octets are cut, the head is the same; what is refused gets an answer that ends. */
function upgrade(input: Uint8Array): void {
  const bytes = Buffer.from(input);
  const whole = readHead(bytes, MOST);
  for (const at of [1, bytes.length >> 1]) {
    const part = readHead(bytes.subarray(0, at), MOST);
    if (part.ok && part.value !== undefined)
      assert.deepEqual(part.value.headers, whole.ok && whole.value?.headers);
  }
  if (!whole.ok) {
    assert.match(
      refusalAnswer(whole.error, 'sip').toString(),
      /^HTTP\/1\.1 4\d\d [\w ]+\r\n[\s\S]*\r\n\r\n[\s\S]*$/,
    );
    return;
  }
  if (whole.value === undefined) return;
  for (const value of Object.values(whole.value.headers)) assert.ok(!/[\r\n\0]/.test(value));
  const refusal = checkUpgrade(whole.value, policy);
  if (refusal === undefined) assert.equal(whole.value.method, 'GET');
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'web-socket-upgrade',
    seeds: [
      Buffer.from(GOOD),
      Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'),
      Buffer.from('POST / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n'),
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    ],
    run: upgrade,
  },
];
