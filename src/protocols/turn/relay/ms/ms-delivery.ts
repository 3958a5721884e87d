import { encodeMsAddress, MsAttributeType, MsMessageType, MsWriter } from '#protocols/stun';
import type { Allocation } from '../allocation.ts';
import type { RelayState } from '../relay-state.ts';
import type { MsSession } from './ms-session.ts';

/** Header, cookie, REMOTE ADDRESS of IPv4, header of DATA. */
const OVERHEAD = 20 + 8 + 12 + 4;
const LONGEST_MESSAGE = 20 + 0xffff;

const writer = new MsWriter();
const transactionId = new Uint8Array(16);

/** Data from a permitted peer: as they are from the active destination, else in a Data Indication. */
export function deliverToMsClient(
  state: RelayState,
  allocation: Allocation,
  ms: MsSession,
  address: string,
  port: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { listener, clientAddress, clientPort } = allocation;
  if (ms.active?.port === port && ms.active.address === address) {
    state.sink.sendToClient(listener, clientAddress, clientPort, bytes, start, end);
    return;
  }
  const size = OVERHEAD + end - start;
  if (size > LONGEST_MESSAGE) {
    state.drop('data-too-long');
    return;
  }
  transactionId.set(state.nextIndicationId(), 4);
  writer.begin(state.sink.frame(size), MsMessageType.DataIndication, transactionId);
  encodeMsAddress(writer, MsAttributeType.RemoteAddress, address, port);
  writer.buffer.set(bytes.subarray(start, end), writer.reserve(MsAttributeType.Data, end - start));
  state.sink.sendToClient(listener, clientAddress, clientPort, writer.buffer, 0, writer.length);
}
