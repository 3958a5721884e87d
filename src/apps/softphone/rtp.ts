/** The fixed header of RFC 3550 §5.1, without CSRC list and extension. */
export interface RtpHeader {
  /** 0..127; 0 is PCMU, 8 is PCMA (RFC 3551 §6). */
  readonly payloadType: number;
  readonly marker: boolean;
  /** 0..65535. */
  readonly sequence: number;
  /** 0..2^32-1, in samples. */
  readonly timestamp: number;
  /** 0..2^32-1. */
  readonly ssrc: number;
}

export const RTP_HEADER_BYTES = 12;
const VERSION = 2;

export function encodeRtp(header: RtpHeader, payload: Uint8Array): Buffer {
  const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
  packet[0] = VERSION << 6;
  packet[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp, 4);
  packet.writeUInt32BE(header.ssrc, 8);
  packet.set(payload, RTP_HEADER_BYTES);
  return packet;
}

/** Header and payload (a view), or undefined for anything that is not RTP version 2. */
export function decodeRtp(packet: Buffer): { header: RtpHeader; payload: Buffer } | undefined {
  if (packet.length < RTP_HEADER_BYTES) return undefined;
  const first = packet[0] ?? 0;
  const second = packet[1] ?? 0;
  // RFC 5761 territory: payload types 64..95 with this layout are RTCP.
  if (first >> 6 !== VERSION || ((second & 0x7f) >= 64 && (second & 0x7f) <= 95)) return undefined;
  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (packet.length < start + 4) return undefined;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  const padding = (first & 0x20) !== 0 ? (packet[packet.length - 1] ?? 0) : 0;
  if (start + padding > packet.length) return undefined;
  return {
    header: {
      payloadType: second & 0x7f,
      marker: (second & 0x80) !== 0,
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      ssrc: packet.readUInt32BE(8),
    },
    payload: packet.subarray(start, packet.length - padding),
  };
}
