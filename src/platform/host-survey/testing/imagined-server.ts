import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { TestContext } from 'node:test';
import { AttributeType, encodeXorAddress, type MessageClass, Method, StunWriter } from '#protocols/stun';
import { SNTP_BYTES } from '../queries/sntp-message.ts';
import type { Server } from '../queries/udp-exchange.ts';

type Answer = (request: Buffer, from: RemoteInfo, attempt: number) => readonly Uint8Array[];

/** A server on loopback that says to each datagram what it is told to. */
export async function imaginedServer(context: TestContext, answer: Answer): Promise<Server> {
  const socket: Socket = createSocket('udp4');
  context.after(() => socket.close());
  let attempt = 0;
  socket.on('message', (request, from) => {
    for (const datagram of answer(request, from, attempt++)) socket.send(datagram, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: '127.0.0.1', port: socket.address().port };
}

/** Seconds from 1900 to 1970. */
const EPOCH = 2_208_988_800;

/** The answer of a server of stratum 2 at `time`, milliseconds since 1970. */
export function sntpAnswer(
  request: Uint8Array,
  time: number,
  change: (bytes: Uint8Array) => void = () => {},
): Uint8Array {
  const bytes = new Uint8Array(SNTP_BYTES);
  bytes[0] = (4 << 3) | 4;
  bytes[1] = 2;
  bytes.set(request.subarray(40, 48), 24);
  const view = new DataView(bytes.buffer);
  for (const at of [32, 40]) {
    view.setUint32(at, (Math.floor(time / 1000) + EPOCH) % 2 ** 32);
    view.setUint32(at + 4, ((time % 1000) / 1000) * 2 ** 32);
  }
  change(bytes);
  return bytes;
}

/** As what the imagined STUN server sees everybody. */
export const SEEN_ADDRESS = '203.0.113.9';

export function stunAnswer(transactionId: Uint8Array, messageClass: MessageClass, port: number): Uint8Array {
  const writer = new StunWriter().begin(new Uint8Array(64), Method.Binding, messageClass, transactionId);
  encodeXorAddress(writer, AttributeType.XorMappedAddress, SEEN_ADDRESS, port);
  return writer.bytes.slice();
}
