import { headerId, type SipRequest } from '#protocols/sip';
import { canonicalAddress, senderOf } from '../policy/common.ts';
import { type Refusal, refuse } from '../policy/refusal.ts';
import { accountName, domainOf, realmOf, userNameOf } from './account-name.ts';
import { type Credentials, parseProof } from './credentials.ts';

/** The fields that carry credentials. */
export const AUTHORIZATION = headerId('Authorization');
export const PROXY_AUTHORIZATION = headerId('Proxy-Authorization');
const FIELDS = [AUTHORIZATION, PROXY_AUTHORIZATION] as const;
/** Several realms may ask one user (RFC 3261 §22.3); no chain of proxies has more. */
const MOST_CREDENTIALS = 4;
/** What is remembered of a sign-in is no longer than this. */
const LONGEST_IDENTITY = 640;

/** Whom a request claims to be, and by how many proofs. */
export interface Claim {
  /**
   * Each account that a proof may be about, `user@domain`, at least one: the user of the credentials at their realm, at the
   * domain of their own, and at the one of the sender. Failures count for all of them.
   */
  readonly accounts: readonly string[];
  /** Credentials that prove something, 0 for what only asks to be challenged. */
  readonly proofs: readonly Credentials[];
  /** The sender's address as failures are counted under it. */
  readonly address: string;
  /** Exactly as written, and undefined where it could hide another person. */
  readonly identity: Identity | undefined;
}

export interface Identity {
  /** Addresses of the sender; two for a REGISTER on behalf of somebody else. */
  readonly addresses: readonly string[];
  /** What the credentials add to them: another name or another realm. */
  readonly names: readonly string[];
}

/**
 * Reads every credential of a request. Digest credentials name a user of their own, who would be locked out inside, so they
 * count more than the From; of schemes that hide the name the sender counts. One request is about one user: credentials
 * that name two are refused, and so are those that two readers could understand differently. Nothing that a registrar
 * might pick goes uncounted.
 */
export function claimOf(request: SipRequest): Claim | Refusal {
  const senders = sendersOf(request);
  const host = senders.from?.host;
  const read = readAll(request, senders.all);
  if (!Array.isArray(read)) return read;
  const proofs = read.filter(({ proof }) => proof !== 'nothing');
  const accounts = new Set<string>();
  let user: string | undefined;
  for (const { username, unread, realm } of proofs) {
    if (username === undefined) continue;
    const name = userNameOf(username);
    const other = unread === undefined ? name : userNameOf(unread);
    if (name === undefined || other === undefined) return refuse(400, 'bad-credentials');
    if (user !== undefined && user !== name.user) return refuse(403, 'several-users');
    user = name.user;
    // Who has no domain has one place, too: a realm may be anything, for a registrar that does not look at it.
    const domains = [name.domain, host ?? '', realmOf(realm)];
    for (const domain of domains) {
      if (domain === undefined) continue;
      accounts.add(accountName(name.user, domain));
      if (other !== name) accounts.add(accountName(other.user, domain));
    }
  }
  const addresses = senders.all.map(({ user, host }) => accountOf(user, host));
  if (proofs.length === 0 || proofs.some(({ username }) => username === undefined)) {
    for (const address of addresses) accounts.add(address);
    if (host === undefined) accounts.add(NOBODY);
  }
  return {
    accounts: [...accounts],
    proofs,
    address: addresses[0] ?? NOBODY,
    identity: identityOf(senders, proofs),
  };
}

/** Who is no address of record; counted like one, so that its source is. */
const NOBODY = '?';

interface Sender {
  readonly address: string;
  readonly user: string;
  readonly host: string;
}

interface Senders {
  readonly from: Sender | undefined;
  /** Its From and, of a REGISTER, its To (RFC 3261 §10.2), those that are addresses of record, each once. */
  readonly all: readonly Sender[];
  /** Neither is missing from {@link all}. */
  readonly whole: boolean;
}

function sendersOf(request: SipRequest): Senders {
  const from = senderIn(senderOf(request));
  if (request.method !== 'REGISTER' || request.to.uri === request.from.uri) {
    return { from, all: from === undefined ? [] : [from], whole: from !== undefined };
  }
  const to = senderIn(canonicalAddress(request.to.uri));
  const second = to?.address === from?.address ? undefined : to;
  const all = [from, second].filter((one) => one !== undefined);
  return { from, all, whole: from !== undefined && to !== undefined };
}

function senderIn(address: string | undefined): Sender | undefined {
  if (address === undefined) return undefined;
  const at = address.lastIndexOf('@');
  return { address, user: address.slice(0, at), host: address.slice(at + 1) };
}

function readAll(request: SipRequest, senders: readonly Sender[]): Credentials[] | Refusal {
  const namesOfSender = () => senders.flatMap(({ user, address }) => [user, address]);
  const found: Credentials[] = [];
  const seen = new Set<string>();
  for (const field of FIELDS) {
    for (const text of request.values(field)) {
      if (found.length === MOST_CREDENTIALS) return refuse(400, 'many-credentials');
      const one = parseProof(text, namesOfSender);
      // Of two for one realm, one reader takes the first, another one the last.
      const place = one?.proof === 'password' ? `${field} ${one.scheme} ${realmOf(one.realm)}` : undefined;
      if (one === undefined || (place !== undefined && seen.has(place)))
        return refuse(400, 'bad-credentials');
      if (place !== undefined) seen.add(place);
      found.push(one);
    }
  }
  return found;
}

function accountOf(user: string, host: string): string {
  const name = userNameOf(user);
  return name === undefined ? NOBODY : accountName(name.user, domainOf(host));
}

function identityOf(
  { from: first, all, whole }: Senders,
  proofs: readonly Credentials[],
): Identity | undefined {
  if (first === undefined || !whole) return undefined;
  const names = new Set<string>();
  for (const { scheme, username, realm, proof } of proofs) {
    if (proof === 'key') continue;
    if (username === undefined) return undefined;
    const own = username === first.user || username === first.address;
    if (!own || realm.toLowerCase() !== first.host) names.add(JSON.stringify([scheme, username, realm]));
  }
  const identity = { addresses: all.map(({ address }) => address), names: [...names] };
  return identityText(identity).length > LONGEST_IDENTITY ? undefined : identity;
}

/** The same for the same, and for nothing else. */
export function identityText({ addresses, names }: Identity): string {
  return [...addresses, ...names].join(' ');
}
