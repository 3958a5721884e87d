import ipaddr from 'ipaddr.js';
import type { LogEvent } from '#protocols/log-query';
import { printable } from '../terminal.ts';

const UDP = 17;
const IPV4_HEAD = 20;
const IPV6_HEAD = 40;
const UDP_HEAD = 8;
const HEX_PER_LINE = 16;

/**
 * SIP messages as packets in the text form that Wireshark's import and `text2pcap` read: a line with the time, then octets
 * in hexadecimal. Each is a whole IP packet with UDP around the message, so that the result is a capture of raw IP in which
 * Wireshark and sngrep find the calls; on the wire there was TLS.
 */
export function packetsText(events: readonly LogEvent[]): string {
  const lines = [
    '# SIP messages of the edges as raw IP packets. To make a capture of them:',
    '#   TZ=UTC text2pcap -l 101 -t "%Y-%m-%d %H:%M:%S.%f" FILE capture.pcapng',
  ];
  for (const event of events) {
    const packet = packetOf(event);
    if (packet === undefined) continue;
    const { node, service, direction, remote } = event;
    lines.push('', printable(`# ${node} ${service} ${direction} ${remote}`));
    lines.push(`${new Date(event.time).toISOString().replace('T', ' ').replace('Z', '000')}`);
    for (let at = 0; at < packet.length; at += HEX_PER_LINE) {
      const octets = packet.toString('hex', at, Math.min(at + HEX_PER_LINE, packet.length));
      lines.push(`${at.toString(16).padStart(6, '0')}  ${octets.replace(/../g, '$& ').trimEnd()}`);
    }
  }
  return lines.join('\n');
}

/** Undefined for what is no SIP message between two addresses of one family. */
function packetOf({ provider, kind, direction, local, remote, text, body }: LogEvent): Buffer | undefined {
  if (provider !== 'Sip' || kind !== 'message') return undefined;
  const [near, far] = [endpointOf(local), endpointOf(remote)];
  if (near === undefined || far === undefined || near.address.length !== far.address.length) return undefined;
  const [from, to] = direction === 'in' ? [far, near] : [near, far];
  const payload = sipPayload(text, body);
  const datagram = Buffer.alloc(UDP_HEAD + payload.length);
  datagram.writeUInt16BE(from.port, 0);
  datagram.writeUInt16BE(to.port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  payload.copy(datagram, UDP_HEAD);
  const pseudo = Buffer.concat([
    from.address,
    to.address,
    Buffer.from([0, UDP, datagram.length >> 8, datagram.length & 0xff]),
  ]);
  // RFC 768: a sum of zero is sent as its complement.
  datagram.writeUInt16BE(checksum(Buffer.concat([pseudo, datagram])) || 0xffff, 6);
  const head =
    from.address.length === 4
      ? ipv4Head(from.address, to.address, datagram)
      : ipv6Head(from.address, to.address, datagram);
  return Buffer.concat([head, datagram]);
}

/** The head with the length of what is here: bodies are left out unless the scenario asked for them. */
function sipPayload(text: string, body = ''): Buffer {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const content = Buffer.from(body);
  const sized = head.replace(/\r\n(Content-Length):[^\r\n]*/i, `\r\n$1: ${content.length}`);
  return Buffer.concat([Buffer.from(`${sized}\r\n\r\n`), content]);
}

function ipv4Head(from: Buffer, to: Buffer, { length }: Buffer): Buffer {
  const head = Buffer.alloc(IPV4_HEAD);
  head[0] = 0x45;
  head.writeUInt16BE(IPV4_HEAD + length, 2);
  head[8] = 64;
  head[9] = UDP;
  from.copy(head, 12);
  to.copy(head, 16);
  head.writeUInt16BE(checksum(head), 10);
  return head;
}
function ipv6Head(from: Buffer, to: Buffer, { length }: Buffer): Buffer {
  const head = Buffer.alloc(IPV6_HEAD);
  head[0] = 0x60;
  head.writeUInt16BE(length, 4);
  head[6] = UDP;
  head[7] = 64;
  from.copy(head, 8);
  to.copy(head, 24);
  return head;
}

/** RFC 1071: the complement of the sum of all words, in complement arithmetic. */
function checksum(octets: Buffer): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

interface End {
  readonly address: Buffer;
  readonly port: number;
}
function endpointOf(text = ''): End | undefined {
  const port = Number(/:(\d{1,5})$/.exec(text)?.[1]);
  const host = text.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const address = addressOctets(host);
  return address === undefined || !(port > 0 && port < 65_536) ? undefined : { address, port };
}
function addressOctets(host: string): Buffer | undefined {
  return ipaddr.isValid(host) ? Buffer.from(ipaddr.parse(host).toByteArray()) : undefined;
}
