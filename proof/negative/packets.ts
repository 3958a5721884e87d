import { isIPv6 } from 'node:net';

/** From whom to whom a sweep goes. */
export interface Envelope {
  /** Ethernet addresses as `02:00:00:00:00:01`. */
  readonly fromMac: string;
  readonly toMac: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
}

export const PORTS = 65_535;
const TRANSPORTS = [
  { protocol: 6, length: 20, checksumAt: 16 },
  { protocol: 17, length: 8, checksumAt: 6 },
] as const;

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 14;
const LINKTYPE_ETHERNET = 1;
const HOPS = 64;

/**
 * A capture file with one TCP SYN and one empty UDP datagram for each port from 1 to 65535, complete frames with right
 * checksums (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1), for a program that puts frames on a wire as they are.
 */
export function everyPort(envelope: Envelope): Buffer {
  const templates = TRANSPORTS.map((transport) => ({ transport, frame: template(envelope, transport) }));
  const size = templates.reduce((sum, { frame }) => sum + RECORD_HEADER + frame.length, 0);
  const file = Buffer.alloc(FILE_HEADER + PORTS * size);
  writeFileHeader(file);
  let at = FILE_HEADER;
  for (const { transport, frame } of templates) {
    const payload = frame.length - transport.length;
    const checksum = payload + transport.checksumAt;
    // One's complement sums add up: only the port differs from packet to packet.
    const sum = pseudoHeaderSum(envelope, transport) + sumOf(frame, payload);
    for (let port = 1; port <= PORTS; port += 1) {
      file.writeUInt32LE(frame.length, at + 8);
      file.writeUInt32LE(frame.length, at + 12);
      at += RECORD_HEADER;
      frame.copy(file, at);
      file.writeUInt16BE(port, at + payload + 2);
      // A checksum of zero would mean "none" in UDP (RFC 768).
      file.writeUInt16BE(~folded(sum + port) & 0xffff || 0xffff, at + checksum);
      at += frame.length;
    }
  }
  return file;
}

type TransportForm = (typeof TRANSPORTS)[number];

/** A whole frame with destination port and checksum left zero. */
function template(envelope: Envelope, transport: TransportForm): Buffer {
  const network = isIPv6(envelope.destination) ? ipv6(envelope, transport) : ipv4(envelope, transport);
  const payload = Buffer.alloc(transport.length);
  payload.writeUInt16BE(envelope.sourcePort, 0);
  if (transport.protocol === 6) {
    // Five words of header, SYN, a window.
    payload.writeUInt16BE(0x50_02, 12);
    payload.writeUInt16BE(1024, 14);
  } else payload.writeUInt16BE(transport.length, 4);
  const ethernet = Buffer.alloc(ETHERNET);
  macBytes(envelope.toMac).copy(ethernet, 0);
  macBytes(envelope.fromMac).copy(ethernet, 6);
  ethernet.writeUInt16BE(isIPv6(envelope.destination) ? 0x86_dd : 0x08_00, 12);
  return Buffer.concat([ethernet, network, payload]);
}

function ipv4({ source, destination }: Envelope, { protocol, length }: TransportForm): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + length, 2);
  header[8] = HOPS;
  header[9] = protocol;
  addressBytes(source).copy(header, 12);
  addressBytes(destination).copy(header, 16);
  header.writeUInt16BE(~folded(sumOf(header, 0)) & 0xffff, 10);
  return header;
}

function ipv6({ source, destination }: Envelope, { protocol, length }: TransportForm): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(length, 4);
  header[6] = protocol;
  header[7] = HOPS;
  addressBytes(source).copy(header, 8);
  addressBytes(destination).copy(header, 24);
  return header;
}

function pseudoHeaderSum({ source, destination }: Envelope, { protocol, length }: TransportForm): number {
  return sumOf(addressBytes(source), 0) + sumOf(addressBytes(destination), 0) + protocol + length;
}

function sumOf(bytes: Buffer, from: number): number {
  let sum = 0;
  for (let at = from; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  return sum;
}

function folded(sum: number): number {
  let left = sum;
  while (left > 0xffff) left = (left & 0xffff) + (left >>> 16);
  return left;
}

function macBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

function addressBytes(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const [before = '', after] = text.split('::');
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const [head, tail] = [words(before), after === undefined ? [] : words(after)];
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  const bytes = Buffer.alloc(16);
  all.forEach((word, index) => {
    bytes.writeUInt16BE(word, index * 2);
  });
  return bytes;
}

function writeFileHeader(file: Buffer): void {
  file.writeUInt32LE(0xa1_b2_c3_d4, 0);
  file.writeUInt16LE(2, 4);
  file.writeUInt16LE(4, 6);
  file.writeUInt32LE(0xffff, 16);
  file.writeUInt32LE(LINKTYPE_ETHERNET, 20);
}
