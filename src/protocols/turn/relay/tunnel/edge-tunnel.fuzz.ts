import { EDGE_TUNNEL_MARK } from '#protocols/stun';
import type { FuzzTarget } from '#tools/fuzz';
import { RelayStage } from '../../testing/relay-stage.ts';
import { decodeTunnel, encodeTunnelHeader, tunnelHeaderBytes } from './tunnel-frame.ts';
import {
  decodeTunnelAnswer,
  decodeTunnelOpening,
  encodeTunnelAnswer,
  encodeTunnelOpening,
  LONGEST_TUNNEL_OPENING,
  tunnelOpeningBytes,
} from './tunnel-stream.ts';

const ADDRESS = '203.0.113.30';
const PARTNER = '198.51.100.30';
const PORT = 3_478;
const listener = { id: 7, face: 'external', transport: 'udp', address: ADDRESS, port: PORT } as const;

const stage = new RelayStage({
  listeners: [listener],
  relayAddresses: [{ address: ADDRESS }],
  tunnel: { port: PORT, streamPort: 443, hold: true, without: [] },
});
const client = stage.client({ listener });
const relayed = client.allocate();
client.permit([PARTNER, 0]);
client.received();

/** A frame as a partner would send it, its cookie a guess. */
function frame(): Buffer {
  const bytes = Buffer.alloc(tunnelHeaderBytes('ipv4') + 4, 'data');
  encodeTunnelHeader(bytes, Buffer.alloc(8), { address: PARTNER, port: 50_000 }, relayed, 4);
  return bytes;
}

function fuzzDatagram(input: Uint8Array): void {
  const decoded = decodeTunnel(input);
  if (decoded.ok && input[0] !== EDGE_TUNNEL_MARK) throw new Error('read without its mark');
  stage.now += 10;
  stage.relay.handleClientDatagram(listener, PARTNER, PORT, input, stage.now);
  const { toClient, toPeer, drops } = stage.sink;
  if (input[0] === EDGE_TUNNEL_MARK && toClient.some(({ bytes }) => bytes.length > input.length))
    throw new Error('an answer longer than what drew it');
  if (stage.relay.tunnelled.received > 0) throw new Error('a guess was believed');
  if (toPeer.length > 0) throw new Error('something was passed on');
  toClient.length = 0;
  drops.length = 0;
}

const PAIR = { source: { address: PARTNER, port: 50_000 }, destination: relayed };

/** Openings and answers of streams: what is read is what is written again, and no guess is believed. */
function fuzzStream(input: Uint8Array): void {
  let length: ReturnType<typeof tunnelOpeningBytes> = 'more';
  for (let read = 0; read <= input.length && length === 'more'; read++)
    length = tunnelOpeningBytes(input.subarray(0, read));
  if (typeof length === 'number' && length > LONGEST_TUNNEL_OPENING) throw new Error('too long an opening');
  const opening = decodeTunnelOpening(input);
  if (opening.ok && Buffer.compare(encodeTunnelOpening(opening.value), input) !== 0)
    throw new Error('an opening that is written otherwise');
  const answer = decodeTunnelAnswer(input);
  if (answer.ok && Buffer.compare(encodeTunnelAnswer(answer.value.answer, answer.value.cookie), input) !== 0)
    throw new Error('an answer that is written otherwise');
  const opened = stage.relay.handleTunnelOpening(PARTNER, input, stage.now);
  if (opened.connection !== undefined) throw new Error('a guess was believed');
  if ((opened.answer?.length ?? 0) > input.length) throw new Error('an answer longer than what drew it');
  stage.sink.drops.length = 0;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'edge-tunnel-datagram',
    seeds: [frame(), Buffer.from('e51f00000000000000000000', 'hex')],
    run: fuzzDatagram,
  },
  {
    name: 'edge-tunnel-stream',
    seeds: [
      Buffer.from(encodeTunnelOpening({ cookie: Buffer.alloc(8), ...PAIR })),
      Buffer.from(encodeTunnelAnswer('accepted', Buffer.alloc(8))),
    ],
    run: fuzzStream,
  },
];
