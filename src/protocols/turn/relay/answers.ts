import {
  AttributeType,
  ErrorCode,
  encodeErrorCode,
  encodeMappedAddress,
  encodeMessageIntegrity,
  encodeMessageIntegritySha256,
  encodePasswordAlgorithms,
  encodeText,
  encodeUnknownAttributes,
  MessageClass,
  octetsAsText,
  SecurityFeature,
  StunWriter,
} from '#protocols/stun';
import type { AlternateServer } from './pool.ts';
import type { RelayState } from './relay-state.ts';
import type { TurnListener } from './turn-listener.ts';
import type { ProvenRequest, TurnRequest } from './turn-request.ts';

/** Enough for every answer: the longest is a 401 with a realm of 256 octets. */
const ANSWER_BYTES = 512;

/** No answer carries SOFTWARE or a reason phrase: they would only feed reflection and curiosity. */
const writer = new StunWriter();

/** What an answer needs of its request. */
export interface Answerable {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  readonly message: { readonly method: number; readonly transactionId: Uint8Array };
}

/** The same, proven. */
export interface ProvenAnswerable extends Answerable {
  readonly proof: { readonly key: Uint8Array; readonly sha256?: boolean };
}

/** Answers to senders that have proved nothing draw on their prefix's budget; false when it is used up. */
export function mayAnswer(
  state: RelayState,
  request: { readonly address: string; readonly now: number },
): boolean {
  const { unprovenAnswersPerSecond, unprovenAnswerBurst } = state.limits;
  if (state.budget.take(request.address, request.now, unprovenAnswersPerSecond, unprovenAnswerBurst))
    return true;
  state.drop('unproven-over-budget');
  return false;
}

function begin(state: RelayState, request: Answerable, messageClass: MessageClass): StunWriter {
  const { method, transactionId } = request.message;
  return writer.begin(state.sink.frame(ANSWER_BYTES), method, messageClass, transactionId);
}

function send(state: RelayState, request: Answerable): void {
  const { listener, address, port } = request;
  state.sink.sendToClient(listener, address, port, writer.buffer, 0, writer.length);
}

/** A success answer without integrity (Binding). */
export function answerUnproven(
  state: RelayState,
  request: TurnRequest,
  fill: (writer: StunWriter) => void,
): void {
  if (!mayAnswer(state, request)) return;
  fill(begin(state, request, MessageClass.Success));
  send(state, request);
}

/** An error answer without integrity; UNKNOWN-ATTRIBUTES when `unknown` is given. */
export function refuseUnproven(
  state: RelayState,
  request: TurnRequest,
  code: ErrorCode,
  unknown?: readonly number[],
): void {
  if (!mayAnswer(state, request)) return;
  state.refused(request, code);
  encodeErrorCode(begin(state, request, MessageClass.Error), code);
  if (unknown !== undefined) encodeUnknownAttributes(writer, unknown);
  send(state, request);
}

/** The same answer as before, to a retransmission. @param octets one a character */
export function repeat(
  state: RelayState,
  request: Pick<Answerable, 'listener' | 'address' | 'port'>,
  octets: string,
): void {
  const frame = state.sink.frame(octets.length);
  for (let at = 0; at < octets.length; at++) frame[at] = octets.charCodeAt(at);
  state.sink.sendToClient(request.listener, request.address, request.port, frame, 0, octets.length);
}

/**
 * 401 or 438 with what the client needs to try again: realm, a nonce of its own, and the password algorithms, which
 * the nonce says are there.
 * @param anonymity also say that a hash may stand for the name: only to whom that is true of
 */
export function challenge(
  state: RelayState,
  request: TurnRequest,
  code: typeof ErrorCode.Unauthenticated | typeof ErrorCode.StaleNonce,
  anonymity = false,
): void {
  if (!mayAnswer(state, request)) return;
  state.refused(request, code);
  encodeErrorCode(begin(state, request, MessageClass.Error), code);
  encodeText(writer, AttributeType.Realm, state.realmOctets);
  const { listener, address, port, now } = request;
  const features = SecurityFeature.PasswordAlgorithms | (anonymity ? SecurityFeature.UsernameAnonymity : 0);
  encodeText(writer, AttributeType.Nonce, state.nonces.issue(listener, address, port, now, features));
  encodePasswordAlgorithms(writer);
  send(state, request);
}

/** A success answer with the integrity that the request's proof calls for. */
export function answer(
  state: RelayState,
  request: ProvenAnswerable,
  fill: (writer: StunWriter) => void,
): void {
  fill(begin(state, request, MessageClass.Success));
  encodeIntegrity(request);
  send(state, request);
}

/** The same. @returns its octets, one a character: what stays takes less room as text */
export function answerOnce(
  state: RelayState,
  request: ProvenAnswerable,
  fill: (writer: StunWriter) => void,
): string {
  fill(begin(state, request, MessageClass.Success));
  encodeIntegrity(request);
  const octets = octetsAsText(writer.bytes);
  send(state, request);
  return octets;
}

/** An error answer with integrity. */
export function refuse(
  state: RelayState,
  request: ProvenAnswerable,
  code: ErrorCode,
  unknown?: readonly number[],
): void {
  state.refused(request, code);
  encodeErrorCode(begin(state, request, MessageClass.Error), code);
  if (unknown !== undefined) encodeUnknownAttributes(writer, unknown);
  encodeIntegrity(request);
  send(state, request);
}

/** Try Alternate (RFC 8489 §10): another server takes the client; over TLS it hears its name too. */
export function sendAway(state: RelayState, request: ProvenRequest, to: AlternateServer): void {
  state.refused(request, ErrorCode.TryAlternate);
  encodeErrorCode(begin(state, request, MessageClass.Error), ErrorCode.TryAlternate);
  encodeMappedAddress(writer, AttributeType.AlternateServer, to.address, to.port);
  if (request.listener.transport === 'tls') {
    writer.put(AttributeType.AlternateDomain, Buffer.from(to.domain, 'utf8'));
  }
  encodeIntegrity(request);
  send(state, request);
}

/** RFC 8489 §9.2.4: the SHA-256 form for who has chosen a password algorithm, else the SHA-1 form. */
function encodeIntegrity({ proof }: ProvenAnswerable): void {
  if (proof.sha256 === true) encodeMessageIntegritySha256(writer, proof.key);
  else encodeMessageIntegrity(writer, proof.key);
}

/** Attributes that must be understood and are, on requests to this relay. DONT-FRAGMENT is not (420). */
export const knownAttributes: ReadonlySet<number> = new Set([
  AttributeType.MappedAddress,
  AttributeType.Username,
  AttributeType.MessageIntegrity,
  AttributeType.ErrorCode,
  AttributeType.UnknownAttributes,
  AttributeType.ChannelNumber,
  AttributeType.Lifetime,
  AttributeType.XorPeerAddress,
  AttributeType.Data,
  AttributeType.Realm,
  AttributeType.Nonce,
  AttributeType.XorRelayedAddress,
  AttributeType.RequestedAddressFamily,
  AttributeType.EvenPort,
  AttributeType.RequestedTransport,
  AttributeType.MessageIntegritySha256,
  AttributeType.PasswordAlgorithm,
  AttributeType.Userhash,
  AttributeType.XorMappedAddress,
  AttributeType.ReservationToken,
  AttributeType.ConnectionId,
]);

/** RFC 8489 §6.3.1: answers 420 when the request has attributes that must be understood and are not. */
export function refusedAsUnknown(state: RelayState, request: ProvenRequest): boolean {
  const unknown = request.message.unknownRequired(knownAttributes);
  if (unknown.length === 0) return false;
  refuse(state, request, ErrorCode.UnknownAttribute, unknown);
  return true;
}
