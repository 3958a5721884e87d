import { Rfc4571Cutter } from '#protocols/stun';
import type { Relay } from '../relay.ts';

/** Streams to peers that one allocation may have begun and not ended a packet of. */
const MOST_STREAMS = 16;
const LENGTH_BYTES = 2;

/** What a client of a stream sends to each peer, cut into the packets of RFC 4571. */
export class PeerStreams {
  readonly #cutters = new Map<string, Rfc4571Cutter>();

  /**
   * @param onPacket gets one packet with its two octets of length
   * @returns false when there are too many peers at a time with half a packet
   */
  cut(address: string, port: number, bytes: Uint8Array, onPacket: (packet: Uint8Array) => void): boolean {
    const peer = `${address} ${port}`;
    const cutter = this.#cutters.get(peer) ?? new Rfc4571Cutter();
    if (!this.#cutters.has(peer) && this.#cutters.size >= MOST_STREAMS) return false;
    cutter.handleBytes(bytes, onPacket);
    if (cutter.pending > 0) this.#cutters.set(peer, cutter);
    else this.#cutters.delete(peer);
    return true;
  }
}

/**
 * Data between two relayed addresses of which at least one is of TCP: packets with their length in a stream, without
 * it in datagrams.
 * @param deliver gets what the target's client expects, a view or a copy valid during the call
 * @returns false when the data had to be dropped
 */
export function switchPackets(
  from: Relay,
  target: Relay,
  bytes: Uint8Array,
  deliver: (bytes: Uint8Array) => void,
): boolean {
  if (from.transport === 'udp') {
    const packet = Buffer.allocUnsafe(LENGTH_BYTES + bytes.length);
    packet.writeUInt16BE(bytes.length, 0);
    packet.set(bytes, LENGTH_BYTES);
    deliver(packet);
    return true;
  }
  const streams = from.allocation.ms?.streams;
  if (streams === undefined) return false;
  return streams.cut(target.advertised, target.port, bytes, (packet) =>
    deliver(target.transport === 'tcp' ? packet : packet.subarray(LENGTH_BYTES)),
  );
}
