import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEvent } from '#protocols/log-query';
import { eventLine } from './event-line.ts';
import { ladder } from './ladder.ts';
import { packetsText } from './packets.ts';

const NOW = Date.UTC(2026, 10, 26, 15, 20, 31, 100);
let sequence = 0;

/** One message of the call, as the edge saw it. */
function message(
  node: string,
  direction: 'in' | 'out',
  remote: string,
  fields: NonNullable<LogEvent['fields']>,
  more: Partial<LogEvent> = {},
): LogEvent {
  sequence += 1;
  return {
    time: NOW + sequence,
    sequence,
    node,
    service: 'access',
    component: 'sip',
    provider: 'Sip',
    level: 'info',
    kind: 'message',
    name: 'sip-message',
    flags: ['protocol'],
    text: 'INVITE sip:bob@example.com SIP/2.0\r\nCall-ID: call-1\r\nContent-Length: 129\r\n\r\n[129 octets of application/sdp]',
    direction,
    connection: '1',
    local: '192.0.2.10:443',
    remote,
    keys: { callId: ['call-1'], uri: ['alice@example.com', 'bob@example.com'] },
    fields,
    ...more,
  };
}
const EDGE1 = 'edge1.example.com';
const EDGE2 = 'edge2.example.com';
const ALICE = '198.51.100.7:51000';
const INSIDE = '10.45.32.11:5061';
const BOB = '[2001:db8::b0b]:52000';

function call(): LogEvent[] {
  sequence = 0;
  const invite = { method: 'INVITE', cseq: 1 };
  const ok = { ...invite, status: 200, reason: 'OK' };
  return [
    message(EDGE1, 'in', ALICE, invite),
    message(EDGE1, 'out', INSIDE, invite),
    message(EDGE2, 'in', INSIDE, invite),
    message(EDGE2, 'out', BOB, invite, { text: 'INVITE \u001b[31m' }),
    message(EDGE2, 'in', BOB, ok),
    message(EDGE2, 'out', INSIDE, ok),
    message(EDGE1, 'in', INSIDE, ok),
    message(EDGE1, 'out', ALICE, ok),
    message(
      EDGE1,
      'in',
      ALICE,
      {},
      {
        kind: 'decision',
        name: 'request-refused',
        text: 'request-refused rule=not-signed-in \u001b[31m',
        direction: undefined,
      },
    ),
  ];
}

test('a ladder has a column for each party and an arrow for each message', () => {
  assert.deepEqual(ladder(call()).split('\n'), [
    '                 alice 198.51.100.7              edge1                  10.45.32.11                  edge2               bob 2001:db8::b0b',
    '15:20:31.101              │──────── INVITE ────────▶│                         │                         │                         │',
    '15:20:31.102              │                         │──────── INVITE ────────▶│                         │                         │',
    '15:20:31.103              │                         │                         │──────── INVITE ────────▶│                         │',
    '15:20:31.104              │                         │                         │                         │──────── INVITE ────────▶│',
    '15:20:31.105              │                         │                         │                         │◀─── 200 OK (INVITE) ────│',
    '15:20:31.106              │                         │                         │◀─── 200 OK (INVITE) ────│                         │',
    '15:20:31.107              │                         │◀─── 200 OK (INVITE) ────│                         │                         │',
    '15:20:31.108              │◀─── 200 OK (INVITE) ────│                         │                         │                         │',
    '15:20:31.109              │                         ● request-refused rule=not-signed-in \\u{1b}[31m',
  ]);
});

test('operations of a meeting are arrows with their method, interface, or what was shown and told', () => {
  const psom = (direction: 'in' | 'out', fields: NonNullable<LogEvent['fields']>) =>
    message(EDGE1, direction, ALICE, fields, { provider: 'Psom', service: 'web-conferencing', keys: {} });
  const labels = ladder([
    psom('in', { operation: 'JOIN', version: '1', show: 'conference' }),
    psom('out', { operation: 'JOINED' }),
    psom('in', { operation: 'CONNECT', object: 'ContentManager', interface: 'ContentManager' }),
    psom('in', { operation: 'CALL', object: 'content.1', interface: 'Poll', method: 'sVote' }),
    psom('out', { operation: 'REFUSED', rule: 'token-replayed', reason: 'used' }),
  ])
    .split('\n')
    .slice(1)
    .map((line) => /[│◀]─* (.*) ─*[▶│]/.exec(line)?.[1]);
  assert.deepEqual(labels, [
    'JOIN conference',
    'JOINED',
    'CONNECT ContentManag…',
    'CALL sVote',
    'REFUSED used',
  ]);
});

test('a line an event, nothing in it that a terminal obeys, and whole messages on request', () => {
  const [first, , , fourth] = call();
  assert.ok(first !== undefined && fourth !== undefined);
  assert.equal(
    eventLine(first, { colour: false, full: false }),
    '2026-11-26 15:20:31.101Z edge1    access   Sip       <- 198.51.100.7:51000      INVITE sip:bob@example.com SIP/2.0  [call-1]',
  );
  assert.match(eventLine(fourth, { colour: false, full: false }), /INVITE \\u\{1b\}\[31m {2}\[call-1\]$/);
  assert.match(
    eventLine(first, { colour: false, full: true }),
    /\n {4}Call-ID: call-1\n {4}Content-Length: 129\n/,
  );
  const warning = { ...first, level: 'warning' as const };
  assert.match(
    eventLine(warning, { colour: true, full: false }),
    /^\u001b\[33m.*warning: INVITE.*\u001b\[0m$/,
  );
});

/** What the hexadecimal lines hold, packet by packet. */
function packetsIn(text: string): Buffer[] {
  return text
    .split('\n\n')
    .slice(1)
    .map((block) => {
      const lines = block.split('\n').filter((line) => /^[0-9a-f]{6} {2}/.test(line));
      for (const [at, line] of lines.entries()) assert.equal(Number.parseInt(line, 16), at * 16);
      return Buffer.from(lines.map((line) => line.slice(8).replaceAll(' ', '')).join(''), 'hex');
    });
}
/** RFC 1071 §1: over what it covers together with itself, a sum that is right gives all ones. */
function sumOf(octets: Buffer): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += octets.readUInt8(at) * 256 + (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

test('packets are whole: addresses, ports, lengths and sums, and SIP whose length is that of what is there', () => {
  const text = packetsText([
    ...call(),
    message(EDGE1, 'in', ALICE, { method: 'INVITE' }, { body: 'v=0\r\n' }),
    message(EDGE2, 'out', BOB, { method: 'BYE' }, { local: '[2001:db8::10]:443' }),
  ]);
  const packets = packetsIn(text);
  // Between an address of IPv4 and one of IPv6 there is no packet: the fourth and fifth message of the call.
  assert.equal(packets.length, 8);
  const [first] = packets;
  assert.ok(first !== undefined);
  assert.equal(first[0], 0x45);
  assert.equal(first.readUInt16BE(2), first.length);
  assert.equal(sumOf(first.subarray(0, 20)), 0xffff);
  assert.deepEqual([...first.subarray(12, 20)], [198, 51, 100, 7, 192, 0, 2, 10]);
  assert.deepEqual([first.readUInt16BE(20), first.readUInt16BE(22)], [51_000, 443]);
  const pseudo = Buffer.from([0, 17, 0, 0]);
  pseudo.writeUInt16BE(first.length - 20, 2);
  assert.equal(sumOf(Buffer.concat([first.subarray(12, 20), pseudo, first.subarray(20)])), 0xffff);
  assert.match(first.toString('latin1', 28), /^INVITE .*\r\nContent-Length: 0\r\n\r\n$/s);
  assert.match(packets.at(-2)?.toString('latin1', 28) ?? '', /\r\nContent-Length: 5\r\n\r\nv=0\r\n$/);
  const last = packets.at(-1) ?? Buffer.alloc(0);
  assert.deepEqual([last[0], last[6], last.readUInt16BE(4)], [0x60, 17, last.length - 40]);
  pseudo.writeUInt16BE(last.length - 40, 2);
  assert.equal(sumOf(Buffer.concat([last.subarray(8, 40), pseudo, last.subarray(40)])), 0xffff);
  assert.match(
    text,
    /\n# edge1\.example\.com access in 198\.51\.100\.7:51000\n2026-11-26 15:20:31\.101000\n000000 {2}45 00/,
  );
});
