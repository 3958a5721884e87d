import { err, ok, type Result } from '#kernel';
import {
  AttributeType,
  checkIntegrity,
  checkPasswordAlgorithms,
  decodePasswordAlgorithm,
  decodeText,
  decodeUserhash,
  ErrorCode,
  type PasswordAlgorithm,
  SecurityFeature,
  type StunMessage,
  securityFeatures,
} from '#protocols/stun';
import { challenge, refuseUnproven } from './answers.ts';
import type { VerifiedCredential } from './credential-verifier.ts';
import type { RelayState } from './relay-state.ts';
import type { ProvenRequest, TurnRequest } from './turn-request.ts';

/**
 * The long-term credential mechanism, RFC 8489 §9.2.4, its checks in its order.
 * @returns undefined when the request was answered with a refusal
 */
export function authenticate(state: RelayState, request: TurnRequest): ProvenRequest | undefined {
  const { message, now } = request;
  // First check: no integrity at all.
  if (!message.hasIntegrity) {
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Second: integrity, but not what it needs. Third: the password algorithm is one that was offered.
  const nonce = decodeText(message, AttributeType.Nonce);
  const algorithm = nonce.ok ? chosenAlgorithm(message, nonce.value) : undefined;
  if (!isNamed(message) || !nonce.ok || !message.has(AttributeType.Realm) || algorithm?.ok !== true) {
    refuseUnproven(state, request, ErrorCode.BadRequest);
    return undefined;
  }
  // Fourth: the user is known.
  const wall = state.wall();
  const credential = credentialOf(state, message, algorithm.value ?? 'md5', wall);
  if (credential === undefined || credential.expires <= wall) {
    state.counters.authenticationFailures++;
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Fifth: the integrity fits.
  const key = credential.keys.find((candidate) => checkIntegrity(message, candidate));
  if (key === undefined) {
    state.counters.authenticationFailures++;
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Sixth: the nonce is still good.
  if (!state.nonces.check(nonce.value, request, now, state.times.nonce)) {
    challenge(state, request, ErrorCode.StaleNonce, credential.anonymity === true);
    return undefined;
  }
  const username = message.value(AttributeType.Username) ?? credential.username ?? new Uint8Array(0);
  const ends = now + (credential.expires - wall);
  const sha256 = algorithm.value !== undefined;
  return { ...request, proof: { key, username, user: credential.user, ends, sha256 } };
}

function isNamed(message: StunMessage): boolean {
  return decodeText(message, AttributeType.Username).ok || message.has(AttributeType.Userhash);
}

/**
 * Protection against bidding down: who was offered password algorithms by this very nonce either knows nothing of
 * them, or gives the offer back unchanged and takes one of it.
 * @returns the algorithm; undefined when the client knows nothing of them, which means MD5
 */
function chosenAlgorithm(
  message: StunMessage,
  nonce: Uint8Array,
): Result<PasswordAlgorithm | undefined, 'bad'> {
  const offered = ((securityFeatures(nonce) ?? 0) & SecurityFeature.PasswordAlgorithms) !== 0;
  const chosen = decodePasswordAlgorithm(message);
  const absent = !chosen.ok && chosen.error === 'absent';
  if (!offered || (absent && !message.has(AttributeType.PasswordAlgorithms))) return ok(undefined);
  return chosen.ok && checkPasswordAlgorithms(message) ? chosen : err('bad');
}

function credentialOf(
  state: RelayState,
  message: StunMessage,
  algorithm: PasswordAlgorithm,
  wall: number,
): VerifiedCredential | undefined {
  const { verifier, realm } = state;
  const username = decodeText(message, AttributeType.Username);
  const hash = decodeUserhash(message);
  const found = username.ok
    ? verifier.lookup(username.value, realm, wall, algorithm)
    : hash.ok
      ? verifier.lookupHash?.(hash.value, realm, wall, algorithm)
      : undefined;
  return found?.ok === true ? found.value : undefined;
}
