import { err, type Monotonic, ok, type Result } from '#kernel';
import {
  type AddressFamily,
  type AttributeFault,
  AttributeType,
  DRAFT_ADDITIONAL_ADDRESS_FAMILY,
  decodeAddressFamily,
  decodeEvenPort,
  decodeLifetime,
  decodeRequestedTransport,
  decodeReservationToken,
  ErrorCode,
  type EvenPort,
  encodeAddressErrorCode,
  encodeLifetime,
  encodeReservationToken,
  encodeXorAddress,
  type StunMessage,
  sameAsText,
  TransportProtocol,
} from '#protocols/stun';
import type { Allocation } from './allocation.ts';
import { answerOnce, type ProvenAnswerable, refuse, repeat, sendAway } from './answers.ts';
import type { MsSession } from './ms/ms-session.ts';
import type { Relay } from './relay.ts';
import type { Opening, RelayPlace, RelayState } from './relay-state.ts';
import { isStream } from './turn-listener.ts';
import type { ProvenRequest } from './turn-request.ts';

/** What an Allocate asks for, once it is known to make sense. */
interface AllocateWish {
  readonly place: RelayPlace;
  /** Seconds to be granted. */
  readonly lifetime: number;
  readonly evenPort: EvenPort | undefined;
  /** A port that was set aside earlier. */
  readonly reserved: number | undefined;
  /** TCP is to be relayed (RFC 6062). */
  readonly tcp?: boolean;
  /** The place of the other family, when both are asked for (RFC 8656 §7.2); 'unsupported' when there is none. */
  readonly additional?: RelayPlace | 'unsupported' | undefined;
}

/** A wish with the answers to it, in the dialect in which it came. */
export interface AllocateTask extends AllocateWish {
  /**
   * Answers with success.
   * @param token of the port that was reserved along with it
   * @returns the answer, for retransmissions
   */
  readonly granted: (
    relay: Relay,
    token: Uint8Array | undefined,
    missing: MissingFamily | undefined,
  ) => string;
  /** Answers with an error. */
  readonly refused: (code: typeof ErrorCode.InsufficientCapacity) => void;
}

/** Why one of two families that were asked for was not given. */
export interface MissingFamily {
  readonly family: AddressFamily;
  readonly code: ErrorCode;
}

/** An Allocate that is answered when its socket is bound, or cannot be. */
export interface PendingAllocate extends AllocateTask {
  /** Ports that may still be tried. */
  attempts: number;
  /** The next port, taken along for EVEN-PORT's R bit. */
  sibling: number | undefined;
  /** The relayed address of the first family, when this one is additional. */
  readonly first?: Relay;
}

/** Allocate, RFC 8656 §7.2. Its first step, the credentials, is done already. */
export function handleAllocate(
  state: RelayState,
  request: ProvenRequest,
  existing: Allocation | undefined,
): void {
  if (existing !== undefined) {
    answerKnownFiveTuple(state, request, existing);
    return;
  }
  const alternate = state.draining ? state.pool.alternate(request.listener) : undefined;
  if (alternate !== undefined) {
    sendAway(state, request, alternate);
    return;
  }
  const wish = readWish(state, request);
  if (!wish.ok) {
    refuse(state, request, wish.error);
    return;
  }
  const { listener, address, port, message, proof } = request;
  const { method } = message;
  const transactionId = new Uint8Array(message.transactionId);
  const later: ProvenAnswerable = {
    listener,
    address,
    port,
    message: { method, transactionId },
    proof: { key: proof.key, sha256: proof.sha256 === true },
  };
  const begun = beginAllocation(state, request, undefined, {
    ...wish.value,
    refused: (code) => refuse(state, later, code),
    granted: (relay, token, missing) =>
      answerOnce(state, later, (writer) => {
        for (const { advertised, port: relayed } of relay.allocation.relays) {
          encodeXorAddress(writer, AttributeType.XorRelayedAddress, advertised, relayed);
        }
        if (missing !== undefined) encodeAddressErrorCode(writer, missing.family, missing.code);
        encodeLifetime(writer, wish.value.lifetime);
        if (token !== undefined) encodeReservationToken(writer, token);
        encodeXorAddress(writer, AttributeType.XorMappedAddress, address, port);
      }),
  });
  if (!begun) refuse(state, request, ErrorCode.InsufficientCapacity);
}

/**
 * Enters an allocation and has its socket bound; the task's answer follows later.
 * @returns false when there is no port: nothing was entered, and nothing will be answered
 */
export function beginAllocation(
  state: RelayState,
  request: Opening,
  ms: MsSession | undefined,
  task: AllocateTask,
): boolean {
  const port = task.reserved ?? takePort(task, request.now);
  if (port === undefined) return false;
  const attempts = task.reserved === undefined ? state.limits.bindAttempts : 1;
  const allocation = state.open(request, task.lifetime, ms);
  allocation.isTcp = task.tcp === true;
  allocation.earlier = request.earlier;
  startBinding(state, allocation, { ...task, attempts, sibling: undefined }, port);
  return true;
}

/** The socket is there: the allocation begins, and its client hears of it. */
export function finishAllocate(state: RelayState, relay: Relay, now: Monotonic): void {
  const pending = state.binding.get(relay.id);
  if (pending === undefined) {
    state.drop('relay-closed');
    return;
  }
  state.binding.delete(relay.id);
  relay.state = 'bound';
  const { allocation } = relay;
  allocation.expires = Math.min(now + pending.lifetime * 1000, allocation.credentialEnds);
  const missing = bindAdditional(state, allocation, pending, relay, now);
  if (missing === 'binding') return;
  const token = reserve(state, pending, allocation.user, now);
  grant(state, allocation, pending, token, missing);
}

function grant(
  state: RelayState,
  allocation: Allocation,
  pending: PendingAllocate,
  token: Uint8Array | undefined,
  missing: MissingFamily | undefined,
): void {
  const [relay] = allocation.relays;
  if (relay === undefined) throw new Error('an allocation without a relayed address');
  allocation.answer = pending.granted(relay, token, missing);
  state.counters.allocationsOpened++;
  state.sink.allocationOpened(allocation);
}

/** RFC 8656 §7.2: the address of the other family follows the first; without it the first is given alone. */
function bindAdditional(
  state: RelayState,
  allocation: Allocation,
  pending: PendingAllocate,
  first: Relay,
  now: Monotonic,
): 'binding' | MissingFamily | undefined {
  const { additional } = pending;
  if (additional === undefined) return undefined;
  const family = first.family === 'ipv4' ? 'ipv6' : 'ipv4';
  if (additional === 'unsupported') return { family, code: ErrorCode.AddressFamilyNotSupported };
  const port = additional.pool.take(now);
  if (port === undefined) return { family, code: ErrorCode.InsufficientCapacity };
  const { bindAttempts } = state.limits;
  const more = { ...pending, place: additional, additional: undefined, reserved: undefined, first };
  startBinding(state, allocation, { ...more, evenPort: undefined, attempts: bindAttempts }, port);
  return 'binding';
}

/** The socket could not be bound: another port, until the attempts are used up. */
export function failAllocate(state: RelayState, relay: Relay, now: Monotonic): void {
  const pending = state.binding.get(relay.id);
  if (pending === undefined) {
    state.drop('relay-closed');
    return;
  }
  state.binding.delete(relay.id);
  const { allocation } = relay;
  if (pending.sibling !== undefined) pending.place.pool.release(pending.sibling, now);
  state.removeRelay(relay, now);
  pending.attempts--;
  const port = pending.attempts > 0 ? takePort(pending, now) : undefined;
  if (port !== undefined) {
    startBinding(state, allocation, pending, port);
    return;
  }
  if (pending.first !== undefined) {
    const { family } = relay;
    grant(state, allocation, pending, undefined, { family, code: ErrorCode.InsufficientCapacity });
    return;
  }
  state.forget(allocation, now);
  pending.refused(ErrorCode.InsufficientCapacity);
}

/** Seconds that are granted: within the relay's bounds and never beyond the credential's end. */
export function grantLifetime(
  state: RelayState,
  wanted: number | undefined,
  now: Monotonic,
  ends: Monotonic,
): number {
  const { defaultLifetime, maximumLifetime } = state.times;
  const lifetime = Math.min(Math.max(wanted ?? defaultLifetime, defaultLifetime), maximumLifetime);
  return Math.max(1, Math.min(lifetime, Math.floor((ends - now) / 1000)));
}

/** RFC 8656 §7.2, second step: a retransmission gets the answer of the first, anything else 437. */
function answerKnownFiveTuple(state: RelayState, request: ProvenRequest, existing: Allocation): void {
  if (!sameAsText(request.message.transactionId, existing.transactionId)) {
    refuse(state, request, ErrorCode.AllocationMismatch);
    return;
  }
  if (existing.answer === undefined) {
    state.drop('allocation-pending');
    return;
  }
  repeat(state, request, existing.answer);
}

/** The steps of RFC 8656 §7.2 that look at attributes and quotas. */
function readWish(state: RelayState, request: ProvenRequest): Result<AllocateWish, ErrorCode> {
  const { message, now, proof } = request;
  const transport = decodeRequestedTransport(message);
  if (!transport.ok) return err(ErrorCode.BadRequest);
  const tcp = transport.value === TransportProtocol.Tcp;
  if (!tcp && transport.value !== TransportProtocol.Udp) return err(ErrorCode.UnsupportedTransportProtocol);
  // RFC 6062 §5.1: only for who came by a connection, and without what belongs to datagrams.
  const datagramsOnly = message.has(AttributeType.EvenPort) || message.has(AttributeType.ReservationToken);
  if (tcp && (datagramsOnly || !isStream(request.listener))) return err(ErrorCode.BadRequest);
  const evenPort = decodeEvenPort(message);
  const lifetime = decodeLifetime(message);
  const token = decodeReservationToken(message);
  if (isMalformed(evenPort) || isMalformed(lifetime) || isMalformed(token)) return err(ErrorCode.BadRequest);
  const families = readFamily(message, token.ok, evenPort.ok && evenPort.value.reserveNext);
  if (!families.ok) return families;
  const places = placesOf(state, families.value);
  if (places === undefined) return err(ErrorCode.AddressFamilyNotSupported);
  const wish = {
    ...places,
    tcp,
    reserved: undefined,
    evenPort: evenPort.ok ? evenPort.value : undefined,
    lifetime: grantLifetime(state, lifetime.ok ? lifetime.value : undefined, now, proof.ends),
  };
  const full = checkQuotas(
    state,
    request.address,
    proof.user,
    (wish.evenPort?.reserveNext ? 2 : 1) - (token.ok ? 1 : 0),
  );
  if (full !== undefined) return err(full);
  if (!token.ok) return ok(wish);
  const reservation = state.reservations.claim(token.value, proof.user, now);
  if (reservation === undefined) return err(ErrorCode.InsufficientCapacity);
  return ok({ ...wish, place: reservation.place, reserved: reservation.port });
}

/** REQUESTED-ADDRESS-FAMILY and what it must not stand beside. IPv4 when nothing is asked for. */
function readFamily(
  message: StunMessage,
  hasToken: boolean,
  reservesNext: boolean,
): Result<AddressFamily | 'both', ErrorCode> {
  const family = decodeAddressFamily(message, AttributeType.RequestedAddressFamily);
  const asked = family.ok || family.error !== 'absent';
  const isDraft = !message.has(AttributeType.AdditionalAddressFamily);
  const number = isDraft ? DRAFT_ADDITIONAL_ADDRESS_FAMILY : AttributeType.AdditionalAddressFamily;
  const other = decodeAddressFamily(message, number);
  const additional = other.ok || other.error !== 'absent';
  if (hasToken && (asked || additional || message.has(AttributeType.EvenPort))) {
    return err(ErrorCode.BadRequest);
  }
  if (asked && additional) return err(ErrorCode.BadRequest);
  if (additional) {
    // RFC 8656 §7.2: it can only ask for IPv6 beside IPv4, and not beside a reservation.
    const fits = other.ok && other.value === 'ipv6' && !reservesNext;
    return fits ? ok('both') : err(ErrorCode.BadRequest);
  }
  if (family.ok) return family;
  if (family.error === 'absent') return ok('ipv4');
  return err(family.error === 'malformed' ? ErrorCode.BadRequest : ErrorCode.AddressFamilyNotSupported);
}

/** Where the relayed addresses will be: IPv4 first when both are asked for; undefined when there is no place. */
function placesOf(
  state: RelayState,
  families: AddressFamily | 'both',
): Pick<AllocateWish, 'place' | 'additional'> | undefined {
  if (families !== 'both') {
    const place = state.place(families);
    return place && { place };
  }
  const [four, six] = [state.place('ipv4'), state.place('ipv6')];
  const place = four ?? six;
  return place && { place, additional: four === undefined ? 'unsupported' : (six ?? 'unsupported') };
}

/**
 * @param more allocations and reservations that the request would add to the user's
 * @returns the refusal when there is no room
 */
export function checkQuotas(
  state: RelayState,
  address: string,
  user: string,
  more: number,
): typeof ErrorCode.InsufficientCapacity | typeof ErrorCode.AllocationQuotaReached | undefined {
  const { limits, allocations, draining } = state;
  if (draining || allocations.size >= limits.allocations) return ErrorCode.InsufficientCapacity;
  const ofUser = state.allocationsOfUser(user) + state.reservations.ofUser(user);
  if (ofUser + more > limits.allocationsPerUser) return ErrorCode.AllocationQuotaReached;
  const ofAddress = state.allocationsOfAddress(address);
  return ofAddress >= limits.allocationsPerAddress ? ErrorCode.AllocationQuotaReached : undefined;
}

function isMalformed(result: Result<unknown, AttributeFault>): boolean {
  return !result.ok && result.error === 'malformed';
}

function takePort(wish: AllocateWish, now: Monotonic): number | undefined {
  const { pool } = wish.place;
  return wish.evenPort === undefined ? pool.take(now) : pool.takeEven(now, wish.evenPort.reserveNext);
}

function startBinding(
  state: RelayState,
  allocation: Allocation,
  pending: PendingAllocate,
  port: number,
): void {
  const { place, evenPort } = pending;
  pending.sibling = evenPort?.reserveNext ? port + 1 : undefined;
  const relay = state.addRelay(allocation, place, port);
  state.binding.set(relay.id, pending);
  state.sink.bindRelay(relay);
}

/** RFC 8656 §7.2: the port after the even one waits for whoever shows the token. */
function reserve(
  state: RelayState,
  pending: PendingAllocate,
  user: string,
  now: Monotonic,
): Uint8Array | undefined {
  if (pending.sibling === undefined) return undefined;
  const expires = now + state.times.reservation * 1000;
  return state.reservations.add({ place: pending.place, port: pending.sibling, user, expires });
}
