import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { LogEvent } from '#protocols/log-query';
import { packetsText } from './packets.ts';

/*
 * What `logs search --packets` prints, opened by programs that we did not write: Wireshark's text2pcap makes a capture of
 * it, tshark takes it apart octet by octet, and sngrep finds the call.
 */

const NOW = Date.UTC(2026, 10, 26, 15, 20, 31, 100);
const CALL = 'call-4711@alice.example.com';
const ALICE = { v4: '198.51.100.7:51000', v6: '[2001:db8::a11]:51000' };
const EDGE = { v4: '192.0.2.10:443', v6: '[2001:db8:1::10]:443' };
const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 50000 RTP/AVP 8\r\n';
type Family = keyof typeof ALICE;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-captures-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const head = (first: string, cseq: string) =>
  [
    first,
    'Via: SIP/2.0/TLS 198.51.100.7:51000;branch=z9hG4bK1',
    'Max-Forwards: 70',
    'From: <sip:alice@example.com>;tag=a',
    'To: <sip:bob@example.com>;tag=b',
    `Call-ID: ${CALL}`,
    `CSeq: ${cseq}`,
    'Contact: <sip:alice@198.51.100.7:51000;transport=tls>',
  ].join('\r\n');

/** A call of six messages as an edge told of it: two with a body that was kept, the others without. */
function call(family: Family): LogEvent[] {
  const messages: readonly (readonly ['in' | 'out', string, string, boolean])[] = [
    ['in', 'INVITE sip:bob@example.com SIP/2.0', '1 INVITE', true],
    ['out', 'SIP/2.0 180 Ringing', '1 INVITE', false],
    ['out', 'SIP/2.0 200 OK', '1 INVITE', true],
    ['in', 'ACK sip:bob@example.com SIP/2.0', '1 ACK', false],
    ['in', 'BYE sip:bob@example.com SIP/2.0', '2 BYE', false],
    ['out', 'SIP/2.0 200 OK', '2 BYE', false],
  ];
  return messages.map(([direction, first, cseq, withBody], at) => {
    const more = withBody ? `\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}` : '';
    return {
      time: NOW + at * 250,
      sequence: at + 1,
      node: 'edge1.example.com',
      service: 'access',
      component: 'sip',
      provider: 'Sip',
      level: 'info',
      kind: 'message',
      name: 'sip-message',
      flags: ['protocol'],
      text: `${head(first, cseq)}${more === '' ? '\r\nContent-Length: 0' : more}\r\n\r\n`,
      direction,
      connection: '1',
      local: EDGE[family],
      remote: ALICE[family],
      keys: { callId: [CALL] },
      ...(withBody ? { body: SDP } : {}),
    } satisfies LogEvent;
  });
}

/** The capture that text2pcap makes, called in the way that the text itself tells. */
function capture(family: Family): string {
  const [text, file] = [join(folder, `${family}.txt`), join(folder, `${family}.pcapng`)];
  writeFileSync(text, packetsText(call(family)));
  const [, told = ''] =
    /^#\s+TZ=UTC text2pcap (.*) FILE capture\.pcapng$/m.exec(readFileSync(text, 'utf8')) ?? [];
  const options = [...told.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  execFileSync('text2pcap', [...options, text, file], { env: { ...process.env, TZ: 'UTC' }, stdio: 'pipe' });
  return file;
}
function tshark(file: string, ...fields: string[]): string[][] {
  const checks = ['ip.check_checksum', 'udp.check_checksum'].flatMap((one) => ['-o', `${one}:TRUE`]);
  const wanted = fields.flatMap((field) => ['-e', field]);
  const out = execFileSync(
    'tshark',
    ['-r', file, ...checks, '-T', 'fields', '-E', 'separator=|', ...wanted],
    {
      env: { ...process.env, TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return out
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|'));
}

for (const family of ['v4', 'v6'] as const) {
  test(`text2pcap and tshark read every packet over IP${family}`, () => {
    const file = capture(family);
    const ip = family === 'v4' ? 'ip' : 'ipv6';
    const [address, edge] =
      family === 'v4' ? ['198.51.100.7', '192.0.2.10'] : ['2001:db8::a11', '2001:db8:1::10'];
    const [there, back] = [
      [address, edge, '51000', '443'],
      [edge, address, '443', '51000'],
    ] as const;
    assert.deepEqual(
      tshark(
        file,
        `${ip}.src`,
        `${ip}.dst`,
        'udp.srcport',
        'udp.dstport',
        'udp.checksum.status',
        'sip.Method',
        'sip.Status-Code',
      ),
      [
        [...there, '1', 'INVITE', ''],
        [...back, '1', '', '180'],
        [...back, '1', '', '200'],
        [...there, '1', 'ACK', ''],
        [...there, '1', 'BYE', ''],
        [...back, '1', '', '200'],
      ],
    );
    const seen = tshark(
      file,
      'frame.time_epoch',
      'sip.Call-ID',
      'sdp.media',
      '_ws.malformed',
      '_ws.expert.severity',
    );
    assert.deepEqual(
      seen.map(([time]) => Math.round(Number(time) * 1000) - NOW),
      [0, 250, 500, 750, 1000, 1250],
    );
    assert.ok(seen.every(([, callId]) => callId === CALL));
    assert.deepEqual(
      seen.map(([, , media]) => media),
      ['audio 50000 RTP/AVP 8', '', 'audio 50000 RTP/AVP 8', '', '', ''],
    );
    assert.ok(
      seen.every(([, , , malformed]) => malformed === ''),
      JSON.stringify(seen),
    );

    // What sngrep takes for a call it writes out again.
    const again = join(folder, `${family}-again.pcap`);
    execFileSync('sngrep', ['-F', '-N', '-q', '-c', '-I', file, '-O', again], { stdio: 'pipe' });
    assert.deepEqual(
      tshark(again, 'sip.Call-ID', 'sip.CSeq'),
      ['1 INVITE', '1 INVITE', '1 INVITE', '1 ACK', '2 BYE', '2 BYE'].map((cseq) => [CALL, cseq]),
    );
  });
}
