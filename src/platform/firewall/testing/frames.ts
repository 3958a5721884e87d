import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace } from './namespaces.ts';

const UDP = 17;
const ICMPV6 = 58;
/** All that hear multicast on the link, RFC 4291 §2.7.1. */
const ALL_NODES = 'ff02::1';
const ALL_NODES_LINK = '33:33:00:00:00:01';

/** A router that says it is the default route for half an hour, RFC 4861 §4.2. */
export function routerAdvertisement(router: string): Buffer {
  const message = Buffer.alloc(16);
  message.writeUInt8(134, 0);
  message.writeUInt8(64, 4);
  message.writeUInt16BE(1800, 6);
  return ethernet(ALL_NODES_LINK, ipv6(router, ALL_NODES, ICMPV6, 255, checked(message, 2)));
}

/** A datagram of one byte from an address that no socket could send from. */
export function datagram(link: string, source: string, destination: string, port: number): Buffer {
  const message = Buffer.alloc(9);
  message.writeUInt16BE(7000, 0);
  message.writeUInt16BE(port, 2);
  message.writeUInt16BE(message.length, 4);
  return ethernet(link, ipv6(source, destination, UDP, 64, checked(message, 6)));
}

/** Puts a frame on the cable, as it is. */
export function send(host: Namespace, device: string, frame: Buffer): void {
  const folder = mkdtempSync(join(tmpdir(), 'slpfw-'));
  const file = join(folder, 'frame.pcap');
  try {
    writeFileSync(file, Buffer.concat([capture(frame.length), frame]));
    host.must('tcpreplay', ['--quiet', '-i', device, file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The address of a device on its link. */
export function linkAddress(host: Namespace, device: string): string {
  return host.must('cat', [`/sys/class/net/${device}/address`]).trim();
}

type Fill = (source: Buffer, destination: Buffer, protocol: number) => Buffer;

/** The message with its checksum, which covers the addresses: RFC 4443 §2.3. */
function checked(message: Buffer, at: number): Fill {
  return (source, destination, protocol) => {
    const tail = Buffer.alloc(8);
    tail.writeUInt32BE(message.length, 0);
    tail.writeUInt8(protocol, 7);
    const all = Buffer.concat([source, destination, tail, message, Buffer.alloc(message.length % 2)]);
    let sum = 0;
    for (let offset = 0; offset < all.length; offset += 2) sum += all.readUInt16BE(offset);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    const whole = Buffer.from(message);
    whole.writeUInt16BE(~sum & 0xffff, at);
    return whole;
  };
}

function ipv6(source: string, destination: string, protocol: number, hops: number, fill: Fill): Buffer {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  const payload = fill(from, to, protocol);
  const head = Buffer.alloc(8);
  head.writeUInt8(0x60, 0);
  head.writeUInt16BE(payload.length, 4);
  head.writeUInt8(protocol, 6);
  head.writeUInt8(hops, 7);
  return Buffer.concat([head, from, to, payload]);
}

/** Eight groups, `::` for those of zeros. */
function addressBytes(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const groups = (half: string) => half.split(':').filter((group) => group !== '');
  const zeros = Array<string>(8 - groups(left).length - groups(right).length).fill('0');
  const bytes = Buffer.alloc(16);
  [...groups(left), ...zeros, ...groups(right)].forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index);
  });
  return bytes;
}

function ethernet(destination: string, packet: Buffer): Buffer {
  const link = Buffer.from(destination.replaceAll(':', ''), 'hex');
  return Buffer.concat([link, Buffer.from('02000000000186dd', 'hex'), packet]);
}

/** The head of a pcap file of one Ethernet frame, and of its record. */
function capture(length: number): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65535, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(length, 32);
  head.writeUInt32LE(length, 36);
  return head;
}
