import type { DigestAlgorithm } from '#protocols/sip';

/** One person (or device) who may sign in. */
export interface Account {
  /** `user@domain`, lower case. */
  readonly aor: string;
  /** The algorithm that this account is challenged with (RFC 8760 §2.4 lets the server choose). */
  readonly algorithm: DigestAlgorithm;
  /** H(user ":" realm ":" password) in hexadecimal; the realm is the domain (RFC 7616 §3.4.2). */
  readonly ha1: string;
}

/** What authentication needs to know about accounts. */
export interface AccountDirectory {
  find(aor: string): Account | undefined;
  /** How many accounts use each algorithm. */
  algorithms(): ReadonlyMap<DigestAlgorithm, number>;
}

const USER = /^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** `User@Domain` as an address of record, or undefined when it cannot be one. */
export function parseAor(text: string): { aor: string; user: string; domain: string } | undefined {
  const lower = text.toLowerCase().replace(/^sips?:/, '');
  const at = lower.lastIndexOf('@');
  const user = lower.slice(0, at);
  const domain = lower.slice(at + 1);
  return at > 0 && USER.test(user) && DOMAIN.test(domain) ? { aor: lower, user, domain } : undefined;
}
