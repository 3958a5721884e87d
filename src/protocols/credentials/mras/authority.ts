import type { WallTime } from '#kernel';
import { accountOfToken, type TokenIssuer } from '../token.ts';
import { type MrasLimits, type MrasRequest, parseMrasRequest } from './request.ts';
import { type CredentialsResponse, formatMrasResponse, type MediaRelay } from './response.ts';
import { MRAS_SERVER_VERSION, type MrasLocation, type MrasReason } from './vocabulary.ts';

/** One side's relay service, as clients of that side are told to reach it. */
export interface MediaRelayOffer {
  readonly location: MrasLocation;
  /** The pool's name on that side. */
  readonly hostName: string;
  /** This edge's addresses on that side; each is listed when a client asks for `directip`. At least one. */
  readonly addresses: readonly string[];
  /** Only ports on which something listens. */
  readonly udpPort?: number;
  readonly tcpPort?: number;
}

export interface AuthorityPolicy {
  /** Absent: there is no key, and every request is answered `Not Supported`. */
  readonly issuer: TokenIssuer | undefined;
  /** Longest life of a credential, minutes; also granted when a request asks for none. */
  readonly lifetimeMinutes: number;
  readonly realm: string;
  readonly relays: readonly MediaRelayOffer[];
  readonly limits: MrasLimits;
}

interface Asking {
  /**
   * The user whose address the caller vouches for, in one spelling. Credentials then count as that user's, whatever
   * identities the body names: those are the user's own words, and a new one each time would be a new quota each time.
   */
  readonly user?: string | undefined;
  /** Answer this instead of issuing: the service is draining or the caller has had its share, or may not ask for that user. */
  readonly refusal?: 'Server Busy' | 'Forbidden' | undefined;
  /** Asked before each credential: whether the request has had the time that one may take. */
  readonly overdue?: (() => boolean) | undefined;
}

export interface AuthorityAnswer {
  readonly reason: MrasReason;
  /** The response's XML. */
  readonly body: Buffer;
  /** Credentials in it. */
  readonly issued: number;
  /** What was thrown, when the reason is `Internal Server Error`. */
  readonly fault?: unknown;
  /** Whose they are, as the relay names its users. */
  readonly accounts: readonly string[];
}

type Echo = Pick<MrasRequest, 'requestId' | 'version' | 'to' | 'from'>;

/**
 * The processing rules of [MS-AVEDGEA] §3.1.5.1 once method and Content-Type are right: key, body, XML, version,
 * then each credentialsRequest. `Other Failure` says that there is no relay to name on the side that was asked for.
 *
 * @param body the SERVICE request's body; may be empty
 * @param wall now, from which the credentials' lives count
 * @param asking what is known of the request besides its body
 */
export function answerCredentialsRequest(
  body: Uint8Array,
  policy: AuthorityPolicy,
  wall: WallTime,
  asking: Asking = {},
): AuthorityAnswer {
  if (policy.issuer === undefined) return refuse('Not Supported');
  if (body.length === 0) return refuse('Request Malformed');
  const parsed = parseMrasRequest(body, policy.limits);
  if (!parsed.ok) return refuse(parsed.error.reason, parsed.error.echo);
  const { route, credentials: asked, ...echo } = parsed.value;
  if (asking.refusal !== undefined) return refuse(asking.refusal, echo);
  try {
    const credentials = issueAll(asked, route, { ...policy, issuer: policy.issuer }, wall, asking);
    if (typeof credentials === 'string') return refuse(credentials, echo);
    const body = formatMrasResponse({
      ...echo,
      serverVersion: MRAS_SERVER_VERSION,
      reason: 'OK',
      credentials,
    });
    if (body.length > policy.limits.responseBytes) return refuse('Request Too Large', echo);
    return { reason: 'OK', body, issued: credentials.length, accounts: accountsOf(credentials) };
  } catch (fault) {
    // A caller that hears nothing would ask again and again; the mistake is ours, and is told to the operator.
    return { ...refuse('Internal Server Error', echo), fault };
  }
}

/** All of them, or why there are none: what is asked for in one request is given whole or not at all. */
function issueAll(
  asked: MrasRequest['credentials'],
  route: MrasRequest['route'],
  policy: AuthorityPolicy & { readonly issuer: TokenIssuer },
  wall: WallTime,
  { user, overdue }: Asking,
): CredentialsResponse[] | 'Time Out' | 'Other Failure' {
  const credentials: CredentialsResponse[] = [];
  for (const one of asked) {
    if (overdue?.() === true) return 'Time Out';
    const relays = relaysFor(policy.relays, route, one.location);
    if (relays.length === 0) return 'Other Failure';
    const duration = Math.min(one.duration ?? policy.lifetimeMinutes, policy.lifetimeMinutes);
    const identity = user ?? one.identity.trim().toLowerCase();
    const { username, password } = policy.issuer.issue(identity, wall + duration * 60_000, wall);
    credentials.push({
      id: one.id,
      credentials: { username, password, duration, realm: policy.realm },
      relays,
    });
  }
  return credentials;
}

/** Each once. */
function accountsOf(credentials: readonly CredentialsResponse[]): string[] {
  const accounts = credentials.map((one) => accountOfToken(Buffer.from(one.credentials.username)));
  return [...new Set(accounts.filter((account) => account !== undefined))];
}

function refuse(reason: MrasReason, echo?: Echo): AuthorityAnswer {
  // A request that could not be read at all is answered by the oldest version.
  const serverVersion = echo === undefined ? '1.0' : MRAS_SERVER_VERSION;
  const body = formatMrasResponse({ ...echo, serverVersion, reason, credentials: [] });
  return { reason, body, issued: 0, accounts: [] };
}

/** Relays of the wanted side, or of both; never a name or address of one side under the other's location. */
function relaysFor(
  offers: readonly MediaRelayOffer[],
  route: MrasRequest['route'],
  location: MrasLocation | undefined,
): MediaRelay[] {
  return offers
    .filter((offer) => location === undefined || offer.location === location)
    .flatMap(({ location: side, hostName, addresses, udpPort, tcpPort }): MediaRelay[] => {
      const ports = {
        ...(udpPort === undefined ? {} : { udpPort }),
        ...(tcpPort === undefined ? {} : { tcpPort }),
      };
      if (route === 'loadbalanced') return [{ location: side, hostName, ...ports }];
      return addresses.map((directIpAddress) => ({ location: side, directIpAddress, ...ports }));
    });
}
