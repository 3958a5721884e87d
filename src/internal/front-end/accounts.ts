import { err, type Failure, failure, ok, type Result } from '#kernel';
import { type DigestAlgorithm, digestAlgorithm, ha1 } from '#protocols/sip';
import { type Account, parseAor } from './account.ts';

const SHORTEST_PASSWORD = 8;
const LONGEST_PASSWORD = 128;

export interface NewAccount {
  /** `user@domain`, in any case. */
  readonly address: string;
  readonly password: string;
  /** Default SHA-256; MD5 for clients that know nothing newer. */
  readonly algorithm?: string;
}

/** The account to store; the password itself is not kept. Fails when address, password or algorithm will not do. */
export function newAccount(request: NewAccount, domains: readonly string[]): Result<Account, Failure> {
  const parsed = parseAor(request.address);
  if (parsed === undefined) return err(failure('SLP-INT-0001', request.address));
  if (!domains.includes(parsed.domain)) return err(failure('SLP-INT-0002', parsed.domain));
  const algorithm = digestAlgorithm(request.algorithm ?? 'SHA-256');
  if (algorithm === undefined || algorithm.endsWith('-sess')) {
    return err(failure('SLP-INT-0003', request.algorithm));
  }
  const { length } = request.password;
  if (length < SHORTEST_PASSWORD || length > LONGEST_PASSWORD) return err(failure('SLP-INT-0004'));
  return ok({ aor: parsed.aor, algorithm, ha1: hashOf(algorithm, parsed, request.password) });
}

function hashOf(
  algorithm: DigestAlgorithm,
  { user, domain }: { user: string; domain: string },
  password: string,
) {
  return ha1(algorithm, user, domain, password);
}
