import { parseChallenge, type SipRequest, type SipResponse } from '#protocols/sip';
import { AUTHORIZATION, type Claim, PROXY_AUTHORIZATION } from './attempt.ts';
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
  const challenges = challengesOf(response);
  return proofs.every((proof) => challenges.some((text) => goesOn(proof, text))) ? undefined : 'failed';
}

/** Whether the next hop has judged nobody yet: it asks for credentials that were not there, or for the next step of them. */
export function asksForCredentials(request: SipRequest, response: SipResponse): boolean {
  if (response.status !== 401 && response.status !== 407) return false;
  if (!request.has(AUTHORIZATION) && !request.has(PROXY_AUTHORIZATION)) return true;
  return challengesOf(response).some((challenge) => {
    const digest = parseChallenge(challenge);
    return (digest.ok && digest.value.stale) || hasStep(challenge);
  });
}

function challengesOf(response: SipResponse): string[] {
  return [...response.values('WWW-Authenticate'), ...response.values('Proxy-Authenticate')];
}

/** RFC 7616 §3.3: right, but for a nonce that is too old; and the second step of the other schemes. */
function goesOn({ scheme, realm }: Credentials, challenge: string): boolean {
  if (scheme === 'digest') {
    const digest = parseChallenge(challenge);
    return digest.ok && digest.value.stale && digest.value.realm === realm;
  }
  if (challenge.split(/[ \t]/, 1)[0]?.toLowerCase() !== scheme) return false;
  return hasStep(challenge);
}

function hasStep(challenge: string): boolean {
  return /\bgssapi-data\s*=\s*"?[0-9a-z]/i.test(challenge);
}
