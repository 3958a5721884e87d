import { createSocket } from 'node:dgram';
import { literalLookup } from '#kernel';
import { AttributeType, decodeStun, decodeText, MessageClass, Method, StunWriter } from '#protocols/stun';
import type { Perimeter } from '../../testing/perimeter.ts';

const UDP = Buffer.from([17, 0, 0, 0]);
const PATIENCE_MS = 500;

/** The realm that the A/V Edge service asks for now: what a client sees of the policy. Undefined without an answer. */
export async function realmOf({ plan }: Perimeter): Promise<string | undefined> {
  const writer = new StunWriter().begin(
    new Uint8Array(100),
    Method.Allocate,
    MessageClass.Request,
    crypto.getRandomValues(new Uint8Array(12)),
  );
  writer.put(AttributeType.RequestedTransport, UDP);
  const socket = createSocket({
    type: plan.av.address.includes(':') ? 'udp6' : 'udp4',
    lookup: literalLookup,
  });
  socket.on('error', () => {});
  try {
    socket.bind(0, plan.clients.alice);
    socket.send(writer.bytes, plan.av.port, plan.av.address);
    const answer = await new Promise<Buffer | undefined>((resolve) => {
      const late = setTimeout(() => resolve(undefined), PATIENCE_MS);
      socket.once('message', (message) => {
        clearTimeout(late);
        resolve(message);
      });
    });
    const message = answer === undefined ? undefined : decodeStun(answer);
    const realm = message?.ok === true ? decodeText(message.value, AttributeType.Realm) : undefined;
    return realm?.ok === true ? Buffer.from(realm.value).toString('latin1') : undefined;
  } finally {
    socket.close();
  }
}
