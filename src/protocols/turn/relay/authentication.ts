import { err, ok, type Result } from '#kernel';
import {
  AttributeType,
  checkIntegrity,
  checkPasswordAlgorithms,
  decodePasswordAlgorithm,
  decodeText,
  decodeUserhash,
  ErrorCode,
  octetsAsText,
  type PasswordAlgorithm,
  SecurityFeature,
  type StunMessage,
  sameAsText,
  securityFeatures,
} from '#protocols/stun';
import type { Allocation } from './allocation.ts';
import { challenge, refuseUnproven } from './answers.ts';
import type { CredentialVerifier, VerifiedCredential } from './credential-verifier.ts';
import { isFresh } from './nonces.ts';
import type { RelayState } from './relay-state.ts';
import type { ProvenRequest, TurnRequest } from './turn-request.ts';

/**
 * What a request of an allocation has proved, so that the next one need not have it all worked out again: only its integrity,
 * and what time may have changed.
 */
export interface EarlierProof {
  /** Whose word it is; another document brings another. */
  readonly verifier: CredentialVerifier;
  readonly realm: string;
  readonly algorithm: PasswordAlgorithm;
  /** One octet a character, as the nonce is. */
  readonly username: string;
  /** With the one key that fitted. */
  readonly credential: VerifiedCredential;
  readonly nonce: string;
  /** The second in which that was made. */
  readonly nonceMade: number;
}

/**
 * The long-term credential mechanism, RFC 8489 §9.2.4, its checks in its order.
 * @param allocation of the request's 5-tuple, if there is one
 * @returns undefined when the request was answered with a refusal
 */
export function authenticate(
  state: RelayState,
  request: TurnRequest,
  allocation: Allocation | undefined,
): ProvenRequest | undefined {
  const { message, now } = request;
  // First check: no integrity at all.
  if (!message.hasIntegrity) {
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Second: integrity, but not what it needs. Third: the password algorithm is one that was offered.
  const nonce = decodeText(message, AttributeType.Nonce);
  const algorithm = nonce.ok ? chosenAlgorithm(message, nonce.value) : undefined;
  const text = decodeText(message, AttributeType.Username);
  const name = text.ok ? text.value : undefined;
  const isNamed = name !== undefined || message.has(AttributeType.Userhash);
  if (!isNamed || !nonce.ok || !message.has(AttributeType.Realm) || algorithm?.ok !== true) {
    refuseUnproven(state, request, ErrorCode.BadRequest);
    return undefined;
  }
  // Fourth: the user is known.
  const wall = state.wall();
  const made = algorithm.value ?? 'md5';
  const earlier = earlierProof(state, name, made, allocation?.earlier);
  const credential = earlier?.credential ?? credentialOf(state, message, name, made, wall);
  if (credential === undefined || credential.expires <= wall) return refuseCredential(state, request);
  // Fifth: the integrity fits.
  const key = credential.keys.find((candidate) => checkIntegrity(message, candidate));
  if (key === undefined) {
    if (earlier === undefined || allocation === undefined) return refuseCredential(state, request);
    // Of several secrets that are honoured, another one may be this request's.
    allocation.earlier = undefined;
    return authenticate(state, request, allocation);
  }
  // Sixth: the nonce is still good.
  const isKnown = earlier !== undefined && sameAsText(nonce.value, earlier.nonce);
  const nonceMade = isKnown ? earlier.nonceMade : state.nonces.madeAt(nonce.value, request);
  if (nonceMade === undefined || !isFresh(nonceMade, now, state.times.nonce)) {
    challenge(state, request, ErrorCode.StaleNonce, credential.anonymity === true);
    return undefined;
  }
  const username = name ?? credential.username ?? new Uint8Array(0);
  const ends = now + (credential.expires - wall);
  const sha256 = algorithm.value !== undefined;
  const { listener, address, port } = request;
  return {
    ...{ listener, address, port, message, now },
    proof: { key, username, user: credential.user, ends, sha256 },
    earlier:
      isKnown || name === undefined
        ? undefined
        : rememberedProof(state, made, name, withKey(credential, key), nonce.value, nonceMade),
  };
}

/** The one key that fitted, in memory of its own. */
function withKey({ user, expires, anonymity }: VerifiedCredential, key: Uint8Array): VerifiedCredential {
  const keys = [new Uint8Array(key)];
  return anonymity === undefined ? { keys, user, expires } : { keys, user, expires, anonymity };
}

function refuseCredential(state: RelayState, request: TurnRequest): undefined {
  state.counters.authenticationFailures++;
  challenge(state, request, ErrorCode.Unauthenticated);
  return undefined;
}

/** What an earlier request has proved, if this one claims the same and the document is still the same. */
function earlierProof(
  { verifier, realm }: RelayState,
  name: Uint8Array | undefined,
  algorithm: PasswordAlgorithm,
  earlier: EarlierProof | undefined,
): EarlierProof | undefined {
  if (earlier?.verifier !== verifier || earlier.realm !== realm || earlier.algorithm !== algorithm)
    return undefined;
  return name !== undefined && sameAsText(name, earlier.username) ? earlier : undefined;
}

function rememberedProof(
  { verifier, realm }: RelayState,
  algorithm: PasswordAlgorithm,
  username: Uint8Array,
  credential: VerifiedCredential,
  nonce: Uint8Array,
  nonceMade: number,
): EarlierProof {
  const copies = { username: octetsAsText(username), nonce: octetsAsText(nonce) };
  return { verifier, realm, algorithm, credential, nonceMade, ...copies };
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
  name: Uint8Array | undefined,
  algorithm: PasswordAlgorithm,
  wall: number,
): VerifiedCredential | undefined {
  const { verifier, realm } = state;
  const found =
    name === undefined
      ? foundByHash(state, message, algorithm, wall)
      : verifier.lookup(name, realm, wall, algorithm);
  return found?.ok === true ? found.value : undefined;
}

function foundByHash(
  { verifier, realm }: RelayState,
  message: StunMessage,
  algorithm: PasswordAlgorithm,
  wall: number,
): Result<VerifiedCredential, string> | undefined {
  const hash = decodeUserhash(message);
  return hash.ok ? verifier.lookupHash?.(hash.value, realm, wall, algorithm) : undefined;
}
