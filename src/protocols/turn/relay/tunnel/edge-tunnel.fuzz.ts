import type { FuzzTarget } from '#tools/fuzz';
import { RelayStage } from '../../testing/relay-stage.ts';
import { decodeTunnel, encodeTunnelHeader, TUNNEL_MARK, tunnelHeaderBytes } from './tunnel-frame.ts';

const ADDRESS = '203.0.113.30';
const PARTNER = '198.51.100.30';
const PORT = 3_478;
const listener = { id: 7, face: 'external', transport: 'udp', address: ADDRESS, port: PORT } as const;

const stage = new RelayStage({
  listeners: [listener],
  relayAddresses: [{ address: ADDRESS }],
  tunnel: { port: PORT, hold: true, without: [] },
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
  if (decoded.ok && input[0] !== TUNNEL_MARK) throw new Error('read without its mark');
  stage.now += 10;
  stage.relay.handleClientDatagram(listener, PARTNER, PORT, input, stage.now);
  const { toClient, toPeer, drops } = stage.sink;
  if (input[0] === TUNNEL_MARK && toClient.some(({ bytes }) => bytes.length > input.length))
    throw new Error('an answer longer than what drew it');
  if (stage.relay.tunnelled.received > 0) throw new Error('a guess was believed');
  if (toPeer.length > 0) throw new Error('something was passed on');
  toClient.length = 0;
  drops.length = 0;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'edge-tunnel-datagram',
    seeds: [frame(), Buffer.from('e51f00000000000000000000', 'hex')],
    run: fuzzDatagram,
  },
];
