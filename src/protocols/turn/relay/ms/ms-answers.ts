import {
  decodeMsNumber,
  decodeMsSequence,
  encodeMsAddress,
  encodeMsErrorCode,
  encodeMsFrameHeader,
  encodeMsIntegrity,
  encodeMsSequence,
  encodeMsUnknownAttributes,
  MS_FRAME_HEADER_BYTES,
  MsAttributeType,
  MsErrorCode,
  MsFrameType,
  type MsMessage,
  MsWriter,
  octetsAsText,
} from '#protocols/stun';
import { mayAnswer } from '../answers.ts';
import type { AlternateServer } from '../pool.ts';
import type { RelayState } from '../relay-state.ts';
import { isStream, type TurnListener } from '../turn-listener.ts';
import type { MsRequest } from './ms-request.ts';

/** Enough for every answer: the longest is a 401 with a realm of 128 octets. */
const ANSWER_BYTES = 512;

/** The version that this relay speaks: IPv4 only, integrity by SHA-1 ([MS-TURN] §2.2.2.17). */
export const MS_VERSION = 2;

const writer = new MsWriter();
/** The buffer that the writer writes into, with the room before it for the frame's header. */
let framed: Uint8Array = new Uint8Array(0);

/** What an answer needs of its request. */
export interface MsAnswerable {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  readonly message: { readonly transactionId: Uint8Array };
}

/** The request's version, or ours where it is lower. */
export function msVersionFor(message: MsMessage): number {
  const version = decodeMsNumber(message, MsAttributeType.MsVersion);
  return Math.min(version.ok && version.value > 0 ? version.value : 1, MS_VERSION);
}

/** The answers' types follow the request's, which has the form 0x00nn. */
const errorOf = (type: number) => type | 0x0110;

function send(state: RelayState, request: MsAnswerable): void {
  const { listener, address, port } = request;
  state.sink.sendToClient(listener, address, port, framed, 0, framedBytes(listener).length);
}

/** In a stream, behind the header of a control frame. */
function framedBytes(listener: TurnListener): Uint8Array {
  if (!isStream(listener)) return writer.bytes;
  encodeMsFrameHeader(framed, 0, MsFrameType.Control, writer.length);
  return framed.subarray(0, MS_FRAME_HEADER_BYTES + writer.length);
}

function begin(state: RelayState, request: MsAnswerable, type: number): MsWriter {
  framed = state.sink.frame(ANSWER_BYTES);
  const room = isStream(request.listener) ? framed.subarray(MS_FRAME_HEADER_BYTES) : framed;
  return writer.begin(room, type, request.message.transactionId);
}

/** An error answer to a sender who has proved nothing, without integrity; it draws on the sender's budget. */
export function refuseMsUnproven(
  state: RelayState,
  request: MsRequest,
  code: MsErrorCode,
  fill: (writer: MsWriter) => void = () => {},
): void {
  if (!mayAnswer(state, request)) return;
  state.refused(request, code);
  encodeMsErrorCode(begin(state, request, errorOf(request.message.type)), code);
  fill(writer);
  send(state, request);
}

/** The same with what an Allocate needs to try again: realm, a nonce of its own and the version. */
export function challengeMs(state: RelayState, request: MsRequest, code: MsErrorCode): void {
  refuseMsUnproven(state, request, code, () => {
    writer.put(MsAttributeType.Realm, state.realmOctets);
    const { listener, address, port, now } = request;
    writer.put(MsAttributeType.Nonce, state.nonces.issue(listener, address, port, now));
    writer.putU32(MsAttributeType.MsVersion, msVersionFor(request.message));
  });
}

/** An error answer with integrity; UNKNOWN-ATTRIBUTES when `unknown` is given. */
export function refuseMs(
  state: RelayState,
  request: MsAnswerable & { readonly message: { readonly type: number } },
  key: Uint8Array,
  code: MsErrorCode,
  unknown?: readonly number[],
): void {
  state.refused(request, code);
  encodeMsErrorCode(begin(state, request, errorOf(request.message.type)), code);
  if (unknown !== undefined) encodeMsUnknownAttributes(writer, unknown);
  encodeMsIntegrity(writer, key);
  send(state, request);
}

/** Try Alternate with ALTERNATE SERVER ([MS-TURN] §2.2.2): another server takes the client. */
export function sendMsAway(
  state: RelayState,
  request: MsRequest,
  key: Uint8Array,
  to: AlternateServer,
): void {
  state.refused(request, MsErrorCode.TryAlternate);
  encodeMsErrorCode(begin(state, request, errorOf(request.message.type)), MsErrorCode.TryAlternate);
  encodeMsAddress(writer, MsAttributeType.AlternateServer, to.address, to.port);
  encodeMsIntegrity(writer, key);
  send(state, request);
}

/**
 * A success answer with integrity.
 * @returns its octets, one a character
 */
export function answerMs(
  state: RelayState,
  request: MsAnswerable,
  type: number,
  key: Uint8Array,
  fill: (writer: MsWriter) => void,
): string {
  fill(begin(state, request, type));
  encodeMsIntegrity(writer, key);
  const octets = octetsAsText(framedBytes(request.listener));
  send(state, request);
  return octets;
}

/** MS-SEQUENCE NUMBER as the request had it, if it had one. */
export function echoSequence(writer: MsWriter, message: MsMessage): void {
  const sequence = decodeMsSequence(message);
  if (sequence.ok) encodeMsSequence(writer, sequence.value.connectionId, sequence.value.number);
}
