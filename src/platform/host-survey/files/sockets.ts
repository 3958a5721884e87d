import { endianness } from 'node:os';
import { canonicalAddress, type Transport } from '#platform/topology';

/** A socket as the kernel lists it; `inode` leads to the process that has it open. */
export interface ListedSocket {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** Longest table that is read: enough for a busy server's listeners, which come first. */
const MOST_LINES = 200_000;

const TCP_LISTEN = '0A';
const UDP_UNCONNECTED = '07';

/** /proc/net/tcp, tcp6, udp, udp6: the sockets that wait for others. */
export function parseSocketTable(text: string, transport: Transport): ListedSocket[] {
  const waiting = transport === 'tcp' ? TCP_LISTEN : UDP_UNCONNECTED;
  const sockets: ListedSocket[] = [];
  for (const line of text.split('\n').slice(1, MOST_LINES)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === undefined || inode === undefined || state !== waiting) continue;
    const [hex = '', port = ''] = local.split(':');
    const address = canonicalAddress(addressText(hex));
    if (address !== undefined) sockets.push({ transport, address, port: Number.parseInt(port, 16), inode });
  }
  return sockets;
}

const WORD = 8;

/** Addresses are printed as 32-bit numbers of the machine. */
function addressText(hex: string): string {
  const words = hex.match(new RegExp(`.{${WORD}}`, 'g')) ?? [];
  const octets = words.flatMap((word) => {
    const pairs = word.match(/../g) ?? [];
    return endianness() === 'LE' ? pairs.reverse() : pairs;
  });
  if (octets.length === 4) return octets.map((octet) => Number.parseInt(octet, 16)).join('.');
  return octets.join('').match(/.{4}/g)?.join(':') ?? '';
}
