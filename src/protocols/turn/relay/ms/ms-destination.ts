import {
  checkMsIntegrity,
  decodeMsAddress,
  decodeMsSequence,
  decodeMsText,
  familyOf,
  MsAttributeType,
  MsErrorCode,
  type MsMessage,
  MsMessageType,
  sameAsText,
  sameOctets,
} from '#protocols/stun';
import type { Allocation } from '../allocation.ts';
import { repeat } from '../answers.ts';
import { sendToPeer } from '../data-path.ts';
import type { TurnDrop } from '../drops.ts';
import { roomForPermissions } from '../permissions.ts';
import type { Relay } from '../relay.ts';
import type { RelayState } from '../relay-state.ts';
import { answerMs, challengeMs, echoSequence, refuseMs, refuseMsUnproven } from './ms-answers.ts';
import { knownMsAttributes } from './ms-known-attributes.ts';
import type { MsRequest } from './ms-request.ts';
import type { MsSession } from './ms-session.ts';

/** A peer that the client names. */
interface NamedPeer {
  readonly relay: Relay;
  /** As kept: own relayed addresses in their advertised form. */
  readonly address: string;
  readonly port: number;
}

/** Permissions of this dialect have no end of their own: they go with the allocation. */
const UNTIL_THE_ALLOCATION_ENDS = Number.POSITIVE_INFINITY;

/**
 * Send request ([MS-TURN] §3.3.5.2): permits the peer and passes the data on. It is never answered, whatever is wrong.
 * @returns why it is dropped
 */
export function handleMsSend(
  state: RelayState,
  { message, now }: MsRequest,
  allocation: Allocation | undefined,
): TurnDrop | undefined {
  const ms = allocation?.ms;
  if (allocation === undefined || ms === undefined || allocation.answer === undefined) return 'no-allocation';
  if (problemWithProof(message, allocation, ms) !== undefined) return 'ms-unproven';
  const sequence = decodeMsSequence(message);
  if (sequence.ok && !sameOctets(sequence.value.connectionId, ms.connectionId)) return 'ms-wrong-connection';
  if (sequence.ok && !ms.isNew(sequence.value.number)) return 'ms-duplicate';
  if (message.unknownRequired(knownMsAttributes).length > 0) return 'unknown-attribute';
  const peer = namedPeer(state, allocation, message);
  if (typeof peer === 'number')
    return peer === MsErrorCode.Forbidden ? 'ms-peer-refused' : 'malformed-indication';
  if (!permit(state, allocation, peer.address, now)) return 'ms-no-room';
  const data = message.find(MsAttributeType.Data);
  if (data < 0) return undefined;
  const start = data + 4;
  const own = state.isRelayAddress(peer.address);
  sendToPeer(
    state,
    peer.relay,
    peer.address,
    peer.port,
    own,
    message.bytes,
    start,
    start + message.lengthAt(data),
    now,
  );
  return undefined;
}

/** Set Active Destination ([MS-TURN] §3.3.5.3). On an error the old destination stays. */
export function handleMsSetActiveDestination(
  state: RelayState,
  request: MsRequest,
  allocation: Allocation | undefined,
): void {
  const { message, now } = request;
  const ms = allocation?.ms;
  if (allocation === undefined || ms === undefined || allocation.answer === undefined) {
    refuseMsUnproven(state, request, MsErrorCode.NoBinding);
    return;
  }
  const problem = problemWithProof(message, allocation, ms);
  if (problem !== undefined) {
    challengeMs(state, request, problem);
    return;
  }
  if (ms.lastAnswer !== undefined && sameOctets(ms.lastAnswer.transactionId, message.transactionId)) {
    repeat(state, request, ms.lastAnswer.octets);
    return;
  }
  const unknown = message.unknownRequired(knownMsAttributes);
  if (unknown.length > 0) {
    refuseMs(state, request, ms.key, MsErrorCode.UnknownAttribute, unknown);
    return;
  }
  const refusal = setActiveDestination(state, message, allocation, ms, now);
  if (refusal !== undefined) {
    refuseMs(state, request, ms.key, refusal);
    return;
  }
  const octets = answerMs(state, request, MsMessageType.SetActiveDestinationResponse, ms.key, (writer) =>
    echoSequence(writer, message),
  );
  ms.lastAnswer = { transactionId: new Uint8Array(message.transactionId), octets };
}

function setActiveDestination(
  state: RelayState,
  message: MsMessage,
  allocation: Allocation,
  ms: MsSession,
  now: number,
): MsErrorCode | undefined {
  const sequence = decodeMsSequence(message);
  if (!sequence.ok && sequence.error === 'malformed') return MsErrorCode.BadRequest;
  if (sequence.ok && !sameOctets(sequence.value.connectionId, ms.connectionId)) return MsErrorCode.NoBinding;
  // A copy of an earlier request would turn the stream of media back to an earlier peer.
  if (sequence.ok && !ms.isNew(sequence.value.number)) return MsErrorCode.BadRequest;
  const peer = namedPeer(state, allocation, message);
  if (typeof peer === 'number') return peer;
  if (!permit(state, allocation, peer.address, now)) return MsErrorCode.InsufficientCapacity;
  ms.active = { ...peer, own: state.isRelayAddress(peer.address) };
  return undefined;
}

/**
 * Username and integrity, by the key that the Allocate proved: these messages bring neither nonce nor, from some
 * clients, realm.
 */
function problemWithProof(
  message: MsMessage,
  allocation: Allocation,
  ms: MsSession,
): MsErrorCode | undefined {
  if (!message.hasIntegrity) return MsErrorCode.Unauthorized;
  const username = decodeMsText(message, MsAttributeType.Username);
  if (!username.ok) return MsErrorCode.MissingUsername;
  if (!sameAsText(username.value, allocation.username)) return MsErrorCode.WrongUsername;
  return checkMsIntegrity(message, ms.key) ? undefined : MsErrorCode.IntegrityCheckFailure;
}

/** DESTINATION ADDRESS, judged; or the refusal. */
function namedPeer(
  state: RelayState,
  allocation: Allocation,
  message: MsMessage,
): NamedPeer | typeof MsErrorCode.BadRequest | typeof MsErrorCode.Forbidden {
  const named = decodeMsAddress(message, MsAttributeType.DestinationAddress);
  if (!named.ok || named.value.port === 0) return MsErrorCode.BadRequest;
  const { address, port } = named.value;
  const relay = allocation.relay(familyOf(address));
  if (relay === undefined) return MsErrorCode.BadRequest;
  if (state.judge(address, port) !== 'allowed') return MsErrorCode.Forbidden;
  if (!state.allowsPort(address, port)) return MsErrorCode.Forbidden;
  return { relay, address: state.peerForm(address), port };
}

function permit(state: RelayState, allocation: Allocation, address: string, now: number): boolean {
  if (!roomForPermissions(state, allocation, [address], now)) return false;
  allocation.permit(address, UNTIL_THE_ALLOCATION_ENDS);
  return true;
}
