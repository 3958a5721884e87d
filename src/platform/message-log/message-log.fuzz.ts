import { type Capture, encodeFrames, FrameReader, peerLabel, readFrame } from '#platform/telemetry';
import { readRecord } from '#protocols/log-query';
import { encodeObserved } from '#protocols/psom';
import type { FuzzTarget } from '#tools/fuzz';
import { recordOf } from './record-of.ts';

const peer = peerLabel(1, {
  local: { address: '192.0.2.1', port: 443 },
  remote: { address: '2001:db8::7', port: 51_000 },
});
const PROVIDERS = { sip: 'Sip', stun: 'Stun', 'ms-turn': 'Stun', xmpp: 'Xmpp', psom: 'Psom' } as const;

function capture(protocol: Capture['protocol'], bytes: Uint8Array): Capture {
  const about = { time: 1, level: 'info', direction: 'in', peer, length: bytes.length } as const;
  return { ...about, provider: PROVIDERS[protocol], protocol, bytes };
}

/** Whatever it is, there is a record of it, and the agent takes that record. */
function check(protocol: Capture['protocol'], bytes: Uint8Array): void {
  for (const bodies of [false, true]) {
    const record = recordOf(capture(protocol, bytes), bodies);
    if (readRecord(JSON.parse(JSON.stringify(record))) === undefined) throw new Error('beyond a bound');
    if (!bodies && record.body !== undefined) throw new Error('a body that nobody asked for');
  }
}

const SIP = [
  'INVITE sip:b@example.com SIP/2.0',
  'Via: SIP/2.0/TLS h;branch=z9hG4bKa',
  'Max-Forwards: 70',
  'From: <sip:a@example.com>;tag=1',
  'To: <sip:b@example.com>',
  'Call-ID: c',
  'CSeq: 1 INVITE',
  'Authorization: Digest username="a", nonce="n", response="r"',
  'Content-Type: application/sdp',
  'Content-Length: 25',
  '',
  'v=0\r\na=ice-pwd:abcdefghij\r\n',
].join('\r\n');
const ALLOCATE = '000300082112a442000102030405060708090a0b0019000411000000';
const MS_ALLOCATE = `0003000800010203040506070809101112131415${'000f000472c64bc6'}`;
const STANZA = `<message from='a@x.example/1' to='b@y.example' id='1'><body>hello</body></message>`;

const OBSERVED = encodeObserved({
  conference: 'abcdefghijklmno2',
  participant: 7,
  object: 'ContentManager',
  interface: 'ContentManager',
  method: 'sReserveTitle',
  frame: Buffer.from('000e0300000001000300017400000007', 'hex'),
});

const seeds: Readonly<Record<Capture['protocol'], Buffer>> = {
  sip: Buffer.from(SIP),
  stun: Buffer.from(ALLOCATE, 'hex'),
  'ms-turn': Buffer.from(MS_ALLOCATE, 'hex'),
  xmpp: Buffer.from(STANZA),
  psom: Buffer.from(OBSERVED),
};

export const targets: readonly FuzzTarget[] = [
  ...(['sip', 'stun', 'ms-turn', 'xmpp', 'psom'] as const).map(
    (protocol): FuzzTarget => ({
      name: `message-log/${protocol}`,
      seeds: [seeds[protocol]],
      run: (input) => check(protocol, input),
    }),
  ),
  {
    name: 'telemetry/event-frames',
    seeds: [
      encodeFrames([
        { type: 'capture', capture: capture('sip', Buffer.from('OPTIONS')) },
        { type: 'lost', count: 3 },
        { type: 'service', name: 'av' },
        { type: 'mark', number: 1 },
      ]),
    ],
    run(input) {
      const whole = new FrameReader();
      const frames = whole.push(input);
      const slow = new FrameReader();
      const pieces = [...input].flatMap((octet) => slow.push(Uint8Array.of(octet)));
      if (pieces.length !== frames.length || slow.broken !== whole.broken)
        throw new Error('pieces change it');
      for (const frame of frames) {
        const item = readFrame(frame);
        if (item?.type === 'capture') recordOf(item.capture, true);
      }
    },
  },
];
