import { parseChallenge, parseCredentials, type SipRequest, type SipResponse } from '#protocols/sip';
import { canonicalAddress } from '../policy/common.ts';

const FIELDS = ['Authorization', 'Proxy-Authorization'] as const;
const LONGEST_ACCOUNT = 320;

export interface Claim {
  /** `user@domain` in lower case, as the credentials say, else the address of the sender. */
  readonly account: string;
  /** False for what only asks to be challenged. */
  readonly proves: boolean;
}

/**
 * Whom a request claims to be. Digest credentials name a user of their own, which is who would be locked out inside, so
 * they count more than the From; other schemes (NTLM, Kerberos, TLS-DSK) hide the name, and their first message
 * proves nothing.
 */
export function claimOf(request: SipRequest): Claim | undefined {
  const sender = request.method === 'REGISTER' ? request.to.uri : request.from.uri;
  const address = canonicalAddress(sender)?.toLowerCase();
  for (const name of FIELDS) {
    for (const value of request.values(name)) {
      const digest = parseCredentials(value);
      if (digest.ok) return { account: named(digest.value.username, address), proves: true };
      if (/\b(?:response|gssapi-data)\s*=\s*"?[0-9a-z]/i.test(value) || /^bearer\s/i.test(value)) {
        return { account: bounded(address ?? '?'), proves: true };
      }
    }
  }
  return address === undefined ? undefined : { account: bounded(address), proves: false };
}

/** `alice`, `alice@example.com` and `sip:alice@example.com` are one user. */
function named(username: string, address: string | undefined): string {
  const plain = username.toLowerCase().replace(/^sips?:/, '');
  const domain = address?.slice(address.lastIndexOf('@'));
  return bounded(plain.includes('@') || domain === undefined ? plain : plain + domain);
}

/** Spaces would end a key of the guard. */
function bounded(account: string): string {
  return account.replace(/\s+/g, '_').slice(0, LONGEST_ACCOUNT);
}

export type SignInOutcome = 'accepted' | 'failed';

/** What the next hop thought of the credentials; undefined while that is not said, or when it did not answer. */
export function outcomeOf(response: SipResponse | undefined): SignInOutcome | undefined {
  if (response === undefined) return undefined;
  const { status } = response;
  if (status >= 200 && status < 300) return 'accepted';
  if (status === 403 || status === 404) return 'failed';
  if (status !== 401 && status !== 407) return undefined;
  const challenges = [...response.values('WWW-Authenticate'), ...response.values('Proxy-Authenticate')];
  // RFC 7616 §3.3: right, but for a nonce that is too old; and the second step of the other schemes.
  const goesOn = challenges.some((challenge) => {
    const digest = parseChallenge(challenge);
    return digest.ok ? digest.value.stale : /\bgssapi-data\s*=\s*"?[0-9a-z]/i.test(challenge);
  });
  return goesOn ? undefined : 'failed';
}
