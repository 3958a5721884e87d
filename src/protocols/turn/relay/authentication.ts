import { AttributeType, checkIntegrity, decodeText, ErrorCode } from '#protocols/stun';
import { challenge, refuseUnproven } from './answers.ts';
import type { RelayState } from './relay-state.ts';
import type { ProvenRequest, TurnRequest } from './turn-request.ts';

/**
 * The long-term credential mechanism, RFC 8489 §9.2.4, its checks in its order. The relay's nonces carry no
 * nonce cookie, so the checks of PASSWORD-ALGORITHMS do not apply and keys are of the MD5 form.
 * @returns undefined when the request was answered with a refusal
 */
export function authenticate(state: RelayState, request: TurnRequest): ProvenRequest | undefined {
  const { message, now } = request;
  // First check: no integrity at all.
  if (!message.hasIntegrity) {
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Second: integrity, but not what it needs.
  const username = decodeText(message, AttributeType.Username);
  const named = username.ok || message.has(AttributeType.Userhash);
  const nonce = decodeText(message, AttributeType.Nonce);
  if (!named || !nonce.ok || !message.has(AttributeType.Realm)) {
    refuseUnproven(state, request, ErrorCode.BadRequest);
    return undefined;
  }
  // Fourth: the user is known. USERHASH was not offered, so that it names nobody.
  const wall = state.wall();
  const credential = username.ok ? state.verifier.lookup(username.value, state.realm, wall) : undefined;
  if (!username.ok || credential === undefined || !credential.ok || credential.value.expires <= wall) {
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Fifth: the integrity fits.
  const key = credential.value.keys.find((candidate) => checkIntegrity(message, candidate));
  if (key === undefined) {
    challenge(state, request, ErrorCode.Unauthenticated);
    return undefined;
  }
  // Sixth: the nonce is still good.
  if (!state.nonces.check(nonce.value, request, now, state.times.nonce)) {
    challenge(state, request, ErrorCode.StaleNonce);
    return undefined;
  }
  const ends = now + (credential.value.expires - wall);
  const proof = { key, username: username.value, user: credential.value.user, ends };
  return { ...request, proof };
}
