import { checkMsIntegrity, decodeMsText, MsAttributeType, MsErrorCode, sameOctets } from '#protocols/stun';
import type { RelayState } from '../relay-state.ts';
import { challengeMs } from './ms-answers.ts';
import type { MsRequest, ProvenMsRequest } from './ms-request.ts';
import type { MsSession } from './ms-session.ts';

/** What says that a credential is not good. */
const failures: ReadonlySet<MsErrorCode> = new Set([
  MsErrorCode.StaleCredentials,
  MsErrorCode.UnknownUser,
  MsErrorCode.IntegrityCheckFailure,
]);

/**
 * Whether an Allocate proves a credential, [MS-TURN] §3.3.5.1, its checks in its order. Every refusal brings realm and
 * nonce along.
 * @param session of the allocation that the 5-tuple has already: its realm counts, and its nonces do not grow old
 * @returns undefined when the request was answered with a refusal
 */
export function authenticateMs(
  state: RelayState,
  request: MsRequest,
  session: MsSession | undefined,
): ProvenMsRequest | undefined {
  const { message, now } = request;
  const refuse = (code: MsErrorCode): undefined => {
    if (failures.has(code)) state.counters.authenticationFailures++;
    return challengeMs(state, request, code) as undefined;
  };
  if (!message.hasIntegrity) return refuse(MsErrorCode.Unauthorized);
  const username = decodeMsText(message, MsAttributeType.Username);
  if (!username.ok) return refuse(MsErrorCode.MissingUsername);
  const realmText = decodeMsText(message, MsAttributeType.Realm);
  const realm = session?.realm ?? state.realm;
  const wall = state.wall();
  const credential = state.verifier.lookup(username.value, realm, wall);
  if (!credential.ok) {
    return refuse(credential.error === 'expired' ? MsErrorCode.StaleCredentials : MsErrorCode.UnknownUser);
  }
  if (credential.value.expires <= wall) return refuse(MsErrorCode.StaleCredentials);
  if (!realmText.ok) return refuse(MsErrorCode.MissingRealm);
  // A client that was told another realm, before a reload, learns the new one and tries again.
  if (!sameOctets(realmText.value, Buffer.from(realm, 'utf8'))) return refuse(MsErrorCode.Unauthorized);
  const nonce = decodeMsText(message, MsAttributeType.Nonce);
  if (!nonce.ok) return refuse(MsErrorCode.MissingNonce);
  const age = session === undefined ? state.times.nonce : Number.POSITIVE_INFINITY;
  if (!state.nonces.check(nonce.value, request, now, age)) return refuse(MsErrorCode.StaleNonce);
  const key = credential.value.keys.find((candidate) => checkMsIntegrity(message, candidate));
  if (key === undefined) return refuse(MsErrorCode.IntegrityCheckFailure);
  const ends = now + (credential.value.expires - wall);
  const { user } = credential.value;
  return { ...request, proof: { key, username: username.value, user, ends, realm } };
}
