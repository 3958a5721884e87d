import { type Random, type Result, SystemRandom } from '#kernel';
import { canonicalAddress } from '#platform/topology';
import {
  AttributeType,
  decodeStun,
  decodeXorAddress,
  HEADER_BYTES,
  MessageClass,
  Method,
  StunWriter,
  sameOctets,
} from '#protocols/stun';
import { exchange, type QueryProblem, type Server, USUAL_WAITS } from './udp-exchange.ts';

const TRANSACTION_ID_BYTES = 12;

/** Asks a STUN server as which address it sees `from` (RFC 8489 §6, a Binding request without credentials). */
export function askStunServer(
  server: Server,
  from: string,
  random: Random = new SystemRandom(),
  waits: readonly number[] = USUAL_WAITS,
): Promise<Result<string, QueryProblem>> {
  const transactionId = random.bytes(TRANSACTION_ID_BYTES);
  const request = new StunWriter().begin(
    new Uint8Array(HEADER_BYTES),
    Method.Binding,
    MessageClass.Request,
    transactionId,
  ).bytes;
  return exchange({
    server,
    from,
    waits,
    request: () => request,
    read(datagram) {
      const message = decodeStun(datagram);
      if (!message.ok) return undefined;
      const { method, messageClass } = message.value;
      if (method !== Method.Binding || messageClass !== MessageClass.Success) return undefined;
      if (!sameOctets(message.value.transactionId, transactionId)) return undefined;
      const seen = decodeXorAddress(message.value, AttributeType.XorMappedAddress);
      return seen.ok ? canonicalAddress(seen.value.address) : undefined;
    },
  });
}
