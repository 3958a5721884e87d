import {
  encodeMsAddress,
  encodeMsFrameHeader,
  MS_FRAME_HEADER_BYTES,
  MsAttributeType,
  MsFrameType,
  MsMessageType,
  MsWriter,
} from '#protocols/stun';
import type { Allocation } from '../allocation.ts';
import type { RelayState } from '../relay-state.ts';
import { isStream } from '../turn-listener.ts';
import type { MsSession } from './ms-session.ts';

/** Header, cookie, REMOTE ADDRESS of IPv4, header of DATA. */
const OVERHEAD = 20 + 8 + 12 + 4;
const LONGEST_MESSAGE = 20 + 0xffff;
/** In a stream the frame's length counts the whole message. */
const LONGEST_FRAME = 0xffff;

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
  whole: boolean,
): void {
  const { listener, clientAddress, clientPort } = allocation;
  const header = isStream(listener) ? MS_FRAME_HEADER_BYTES : 0;
  const length = end - start;
  const isActive = ms.active?.port === port && ms.active.address === address;
  const size = isActive ? length : OVERHEAD + length;
  if (size > (header === 0 ? LONGEST_MESSAGE : LONGEST_FRAME)) {
    state.drop('data-too-long');
    return;
  }
  if (isActive && header === 0) {
    state.sink.sendToClient(listener, clientAddress, clientPort, bytes, start, end, whole);
    return;
  }
  const frame = state.sink.frame(header + size);
  if (isActive) frame.set(bytes.subarray(start, end), header);
  else {
    transactionId.set(state.nextIndicationId(), 4);
    writer.begin(frame.subarray(header), MsMessageType.DataIndication, transactionId);
    encodeMsAddress(writer, MsAttributeType.RemoteAddress, address, port);
    writer.buffer.set(bytes.subarray(start, end), writer.reserve(MsAttributeType.Data, length));
  }
  if (header > 0) encodeMsFrameHeader(frame, 0, isActive ? MsFrameType.Data : MsFrameType.Control, size);
  state.sink.sendToClient(listener, clientAddress, clientPort, frame, 0, header + size, whole);
}
