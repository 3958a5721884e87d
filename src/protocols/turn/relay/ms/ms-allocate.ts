import {
  CONNECTION_ID_BYTES,
  decodeMsNumber,
  decodeMsSequence,
  encodeMsAddress,
  encodeMsSequence,
  encodeMsXorAddress,
  MsAttributeType,
  MsErrorCode,
  MsMessageType,
  sameAsText,
  sameOctets,
} from '#protocols/stun';
import { beginAllocation, checkQuotas, grantLifetime } from '../allocate.ts';
import type { Allocation } from '../allocation.ts';
import { repeat } from '../answers.ts';
import type { RelayState } from '../relay-state.ts';
import { answerMs, echoSequence, msVersionFor, refuseMs, sendMsAway } from './ms-answers.ts';
import { authenticateMs } from './ms-authentication.ts';
import { knownMsAttributes } from './ms-known-attributes.ts';
import type { MsRequest, ProvenMsRequest } from './ms-request.ts';
import { MsSession } from './ms-session.ts';

/** Value of REQUESTED ADDRESS FAMILY for IPv4, the only one that a server of this version has. */
const FAMILY_IPV4 = 0x01;

/** Allocate: a new allocation, or the renewal or the end of the one that the 5-tuple has ([MS-TURN] §3.3.5.1). */
export function handleMsAllocate(
  state: RelayState,
  request: MsRequest,
  existing: Allocation | undefined,
): void {
  const proven = authenticateMs(state, request, existing?.ms);
  if (proven === undefined) return;
  const { key } = proven.proof;
  const unknown = unknownTo(proven);
  if (unknown.length > 0) {
    refuseMs(state, proven, key, MsErrorCode.UnknownAttribute, unknown);
    return;
  }
  const wanted = decodeMsNumber(proven.message, MsAttributeType.Lifetime);
  if (!wanted.ok && wanted.error === 'malformed') {
    refuseMs(state, proven, key, MsErrorCode.BadRequest);
    return;
  }
  const lifetime = wanted.ok ? wanted.value : undefined;
  if (existing !== undefined) handleKnownFiveTuple(state, proven, existing, lifetime);
  // The end of what is over already is no reason to begin it again.
  else if (lifetime === 0) refuseMs(state, proven, key, MsErrorCode.NoBinding);
  else if (!sendNewcomerAway(state, proven)) allocate(state, proven, lifetime);
}

/** While the edge gives its clients away, whoever comes is told of another edge of the pool, if there is one. */
function sendNewcomerAway(state: RelayState, request: ProvenMsRequest): boolean {
  const alternate = state.draining ? state.pool.alternate(request.listener) : undefined;
  if (alternate === undefined) return false;
  sendMsAway(state, request, request.proof.key, alternate);
  return true;
}

function unknownTo({ message }: ProvenMsRequest): number[] {
  const unknown = message.unknownRequired(knownMsAttributes);
  const family = message.value(MsAttributeType.RequestedAddressFamily);
  if (family !== undefined && (family.length !== 4 || family[0] !== FAMILY_IPV4)) {
    unknown.push(MsAttributeType.RequestedAddressFamily);
  }
  return unknown;
}

function handleKnownFiveTuple(
  state: RelayState,
  request: ProvenMsRequest,
  allocation: Allocation,
  lifetime: number | undefined,
): void {
  const { message, proof } = request;
  const { ms } = allocation;
  if (ms === undefined) {
    refuseMs(state, request, proof.key, MsErrorCode.NoBinding);
    return;
  }
  if (allocation.answer === undefined) {
    state.drop('allocation-pending');
    return;
  }
  if (sameAsText(message.transactionId, allocation.transactionId)) {
    repeat(state, request, allocation.answer);
    return;
  }
  if (ms.lastAnswer !== undefined && sameOctets(ms.lastAnswer.transactionId, message.transactionId)) {
    repeat(state, request, ms.lastAnswer.octets);
    return;
  }
  const refusal = checkOwner(request, allocation, ms);
  if (refusal !== undefined) refuseMs(state, request, proof.key, refusal);
  else if (lifetime === 0) deallocate(state, request, allocation);
  else refresh(state, request, allocation, ms, lifetime);
}

function checkOwner(
  { message, proof }: ProvenMsRequest,
  allocation: Allocation,
  ms: MsSession,
): MsErrorCode | undefined {
  if (!sameAsText(proof.username, allocation.username)) return MsErrorCode.WrongUsername;
  const sequence = decodeMsSequence(message);
  if (!sequence.ok) return sequence.error === 'absent' ? undefined : MsErrorCode.BadRequest;
  return sameOctets(sequence.value.connectionId, ms.connectionId) ? undefined : MsErrorCode.NoBinding;
}

function deallocate(state: RelayState, request: ProvenMsRequest, allocation: Allocation): void {
  answerMs(state, request, MsMessageType.AllocateResponse, request.proof.key, (writer) => {
    writer.putU32(MsAttributeType.Lifetime, 0);
    echoSequence(writer, request.message);
    writer.putU32(MsAttributeType.MsVersion, msVersionFor(request.message));
  });
  state.close(allocation, request.now, 'deallocated');
}

function refresh(
  state: RelayState,
  request: ProvenMsRequest,
  allocation: Allocation,
  ms: MsSession,
  wanted: number | undefined,
): void {
  const { message, now, proof } = request;
  const lifetime = grantLifetime(state, wanted, now, proof.ends);
  allocation.credentialEnds = proof.ends;
  allocation.expires = Math.min(now + lifetime * 1000, proof.ends);
  state.counters.renewals++;
  const octets = answerMs(state, request, MsMessageType.AllocateResponse, proof.key, (writer) => {
    const relay = allocation.relay('ipv4');
    if (relay !== undefined) {
      encodeMsAddress(writer, MsAttributeType.MappedAddress, relay.advertised, relay.port);
    }
    writer.putU32(MsAttributeType.Lifetime, lifetime);
    writer.putU32(MsAttributeType.Bandwidth, state.limits.msBandwidth);
    encodeMsXorAddress(writer, request.address, request.port, message.transactionId);
    echoSequence(writer, message);
    writer.putU32(MsAttributeType.MsVersion, msVersionFor(message));
  });
  ms.lastAnswer = { transactionId: new Uint8Array(message.transactionId), octets };
}

function allocate(state: RelayState, request: ProvenMsRequest, wanted: number | undefined): void {
  const { listener, address, port, message, now, proof } = request;
  const refuse = (code: MsErrorCode) => refuseMs(state, pending, proof.key, code);
  const transactionId = new Uint8Array(message.transactionId);
  const pending = { listener, address, port, message: { type: message.type, transactionId } };
  const place = state.place('ipv4');
  const full = checkQuotas(state, address, proof.user, 1);
  if (full !== undefined || place === undefined) {
    refuse(full ?? MsErrorCode.ServerError);
    return;
  }
  const version = msVersionFor(message);
  const session = new MsSession(
    state.random.bytes(CONNECTION_ID_BYTES),
    proof.realm,
    new Uint8Array(proof.key),
  );
  const lifetime = grantLifetime(state, wanted, now, proof.ends);
  const begun = beginAllocation(state, request, session, {
    place,
    lifetime,
    evenPort: undefined,
    reserved: undefined,
    refused: refuse,
    granted: (relay) =>
      answerMs(state, pending, MsMessageType.AllocateResponse, session.key, (writer) => {
        encodeMsAddress(writer, MsAttributeType.MappedAddress, relay.advertised, relay.port);
        writer.putU32(MsAttributeType.Lifetime, lifetime);
        writer.putU32(MsAttributeType.Bandwidth, state.limits.msBandwidth);
        encodeMsXorAddress(writer, address, port, transactionId);
        encodeMsSequence(writer, session.connectionId, 0);
        writer.putU32(MsAttributeType.MsVersion, version);
      }),
  });
  if (!begun) refuse(MsErrorCode.InsufficientCapacity);
}
