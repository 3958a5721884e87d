import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { literalLookup } from '#kernel';

const TYPE_A = 1;
const CLASS_IN = 1;
const TTL_SECONDS = 60;
/** QR, RD, RA. */
const ANSWERED = 0x81_80;
const NO_SUCH_NAME = 3;

/**
 * A name server for the few names of a perimeter: A records, and an empty answer for every other type. Real clients
 * resolve the external names that they find in routes and relay addresses, so a test gives them what an
 * organisation's zone would hold.
 */
export class NameServer {
  readonly #socket: Socket;
  readonly #hosts: ReadonlyMap<string, string>;

  private constructor(socket: Socket, hosts: ReadonlyMap<string, string>) {
    this.#socket = socket;
    this.#hosts = hosts;
    socket.on('message', (query, { address, port }) => {
      const answer = this.#answer(query);
      if (answer !== undefined) socket.send(answer, port, address);
    });
  }

  /** @param hosts IPv4 addresses by lower-case name */
  static async start(address: string, hosts: ReadonlyMap<string, string>, port = 0): Promise<NameServer> {
    const socket = createSocket({ type: 'udp4', lookup: literalLookup });
    // With a lookup that answers at once it listens before `bind` returns.
    const listening = once(socket, 'listening');
    socket.bind({ address, port });
    await listening;
    return new NameServer(socket, hosts);
  }

  /** `address:port`, as resolver settings write it. */
  get place(): string {
    const { address, port } = this.#socket.address();
    return `${address}:${port}`;
  }
  stop(): void {
    this.#socket.close();
  }

  /** RFC 1035 §4.1: the question as it came, with one record for a name that we know. */
  #answer(query: Buffer): Buffer | undefined {
    const question = readQuestion(query);
    if (question === undefined) return undefined;
    const address = this.#hosts.get(question.name);
    const record = address !== undefined && question.type === TYPE_A ? hostRecord(address) : Buffer.alloc(0);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(address === undefined ? ANSWERED | NO_SUCH_NAME : ANSWERED, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(record.length > 0 ? 1 : 0, 6);
    return Buffer.concat([header, question.bytes, record]);
  }
}

function readQuestion(query: Buffer): { name: string; type: number; bytes: Buffer } | undefined {
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    labels.push(query.toString('latin1', at, at + length).toLowerCase());
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  return { name: labels.join('.'), type: query.readUInt16BE(at), bytes: query.subarray(12, at + 4) };
}

function hostRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  // A pointer to the name in the question.
  record.writeUInt16BE(0xc0_0c, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  address.split('.').forEach((part, index) => {
    record[12 + index] = Number(part);
  });
  return record;
}
