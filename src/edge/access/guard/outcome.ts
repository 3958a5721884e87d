import { parseChallenge, type SipResponse } from '#protocols/sip';
import type { Claim } from './attempt.ts';
import type { Credentials } from './credentials.ts';

export type SignInOutcome = 'accepted' | 'failed';

/**
 * What the next hop thought of the credentials; undefined while that is not said, or when it did not answer. Only a REGISTER is
 * known to be answered with 2xx for its credentials: whoever gets a 2xx to OPTIONS has proven nothing with what it carried.
 */
export function outcomeOf(
  method: string,
  { proofs, identity }: Claim,
  response: SipResponse | undefined,
): SignInOutcome | undefined {
  if (response === undefined) return undefined;
  const { status } = response;
  if (status >= 200 && status < 300) {
    // Of several credentials some may not have been looked at, and on behalf of others only one of two addresses.
    const clear = proofs.length === 1 && identity?.addresses.length === 1;
    return method === 'REGISTER' && clear ? 'accepted' : undefined;
  }
  // To another request, 404 is about who was called.
  if (status === 403 || (status === 404 && method === 'REGISTER')) return 'failed';
  if (status !== 401 && status !== 407) return undefined;
  const challenges = [...response.values('WWW-Authenticate'), ...response.values('Proxy-Authenticate')];
  return proofs.every((proof) => challenges.some((text) => goesOn(proof, text))) ? undefined : 'failed';
}

/** RFC 7616 §3.3: right, but for a nonce that is too old; and the second step of the other schemes. */
function goesOn({ scheme, realm }: Credentials, challenge: string): boolean {
  if (scheme === 'digest') {
    const digest = parseChallenge(challenge);
    return digest.ok && digest.value.stale && digest.value.realm === realm;
  }
  if (challenge.split(/[ \t]/, 1)[0]?.toLowerCase() !== scheme) return false;
  return /\bgssapi-data\s*=\s*"?[0-9a-z]/i.test(challenge);
}
