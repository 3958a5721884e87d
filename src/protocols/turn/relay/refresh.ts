import {
  AttributeType,
  decodeAddressFamily,
  decodeLifetime,
  ErrorCode,
  encodeLifetime,
} from '#protocols/stun';
import { grantLifetime } from './allocate.ts';
import type { Allocation } from './allocation.ts';
import { answer } from './answers.ts';
import type { RelayState } from './relay-state.ts';
import type { ProvenRequest } from './turn-request.ts';

/** Refresh, RFC 8656 §8.2. The refusal is returned, success answered. */
export function handleRefresh(
  state: RelayState,
  request: ProvenRequest,
  allocation: Allocation,
): ErrorCode | undefined {
  const { message, now, proof } = request;
  const family = decodeAddressFamily(message, AttributeType.RequestedAddressFamily);
  if (!family.ok && family.error === 'malformed') return ErrorCode.BadRequest;
  const asked = family.ok || family.error === 'unsupported';
  if (asked && !(family.ok && allocation.relay(family.value))) return ErrorCode.PeerAddressFamilyMismatch;
  const wanted = decodeLifetime(message);
  if (!wanted.ok && wanted.error === 'malformed') return ErrorCode.BadRequest;
  if (wanted.ok && wanted.value === 0) {
    answer(state, request, (writer) => encodeLifetime(writer, 0));
    const relay = family.ok && allocation.relays.length > 1 ? allocation.relay(family.value) : undefined;
    if (relay !== undefined) {
      // RFC 8656 §8.2: of an allocation with both families only the one that is named ends.
      allocation.unbindAll(relay);
      state.removeRelay(relay, now);
      state.sink.rightsChanged(allocation);
      state.sink.closeRelay(relay);
      return undefined;
    }
    state.close(allocation, now, 'deallocated');
    return undefined;
  }
  const lifetime = grantLifetime(state, wanted.ok ? wanted.value : undefined, now, proof.ends);
  allocation.credentialEnds = proof.ends;
  allocation.expires = Math.min(now + lifetime * 1000, proof.ends);
  state.counters.renewals++;
  state.sink.rightsChanged(allocation);
  answer(state, request, (writer) => encodeLifetime(writer, lifetime));
  return undefined;
}
