import { readU16, writeU16 } from './octets.ts';

/**
 * ChannelData messages, RFC 8656 §12.4: channel number, length, application data. These are functions over the
 * datagram's bytes, so that relaying one allocates nothing.
 */
export const CHANNEL_HEADER_BYTES = 4;

/** Channel numbers that a client of today takes, RFC 8656 §12. */
export const FIRST_CHANNEL = 0x4000;
export const LAST_CHANNEL = 0x4fff;
/**
 * What a server takes: RFC 5766 §11 let clients choose up to here, and those of coturn still do. It costs nothing on
 * a port that carries no DTLS or RTP, for whose sake RFC 7983 §7 made the range smaller.
 */
export const LAST_ACCEPTED_CHANNEL = 0x7fff;

/** Whether a first byte can begin a ChannelData message: 64..127, see {@link LAST_ACCEPTED_CHANNEL}. */
export function looksLikeChannelData(firstByte: number): boolean {
  return firstByte >= 0x40 && firstByte <= 0x7f;
}

/** The channel number; only meaningful when `channelDataLength` is not -1. */
export function channelNumberOf(bytes: Uint8Array): number {
  return readU16(bytes, 0);
}

/**
 * Octets of application data, which begin at offset 4; -1 when the bytes are no ChannelData message. Over UDP
 * padding is optional (RFC 8656 §12.5), so octets after the data are passed over.
 */
export function channelDataLength(bytes: Uint8Array): number {
  if (bytes.length < CHANNEL_HEADER_BYTES || !looksLikeChannelData(bytes[0] ?? 0)) return -1;
  const length = readU16(bytes, 2);
  return CHANNEL_HEADER_BYTES + length > bytes.length ? -1 : length;
}

/** Writes the four octets before `length` octets of data (0..65535). */
export function encodeChannelHeader(into: Uint8Array, at: number, channel: number, length: number): void {
  writeU16(into, at, channel);
  writeU16(into, at + 2, length);
}
