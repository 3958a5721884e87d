import type { WallTime } from '#kernel';
import {
  type AuthorityPolicy,
  answerCredentialsRequest,
  MRAS_CONTENT_TYPE,
  type MrasReason,
  mrasReasons,
} from '#protocols/credentials';
import { parseSipUri, type SipRequest, type SipUri } from '#protocols/sip';

/** What became of a request: refused as SIP, or answered with a body that says so. */
export type Outcome = MrasReason | SipRefusal;
export type SipRefusal = 'method' | 'uri-scheme' | 'extension' | 'content-type' | 'content-encoding';

export const outcomes: readonly Outcome[] = [
  ...mrasReasons,
  'method',
  'uri-scheme',
  'extension',
  'content-type',
  'content-encoding',
];

export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  readonly outcome: Outcome;
  /** Credentials in the answer. */
  readonly issued: number;
  /** For whom they are, and whose they are as the relay names its users. */
  readonly user: string | undefined;
  readonly accounts: readonly string[];
  /** What was thrown, when the outcome is `Internal Server Error`. */
  readonly fault?: unknown;
}

/** What decides besides the request and the document. */
export interface Circumstances {
  readonly wall: WallTime;
  /** The service takes nothing new, or the caller has had its share. */
  readonly busy: boolean;
  /** Whether the caller may ask for this user, or in this server's name. */
  readonly mayAsk: (from: SipUri) => boolean;
  /** Whether the request has had the time that one may take. */
  readonly overdue: () => boolean;
}

/**
 * The answer to one request: the checks of RFC 3261 §8.2 in their order, where [MS-AVEDGEA] §3.1.5.1 wants a bare
 * refusal, then the XML answer, which is a 200 whatever it says.
 */
export function answerRequest(
  request: SipRequest,
  policy: AuthorityPolicy,
  { wall, busy, mayAsk, overdue }: Circumstances,
): Answer {
  if (request.method !== 'SERVICE') return refuse(405, 'method', [['Allow', 'SERVICE']]);
  if (!/^sips?:/i.test(request.uri)) return refuse(416, 'uri-scheme');
  const required = request.values('Require');
  if (required.length > 0) return refuse(420, 'extension', [['Unsupported', required.join(', ')]]);
  if (mediaType(request.header('Content-Type')) !== MRAS_CONTENT_TYPE) {
    return refuse(415, 'content-type', [['Accept', MRAS_CONTENT_TYPE]]);
  }
  if (request.has('Content-Encoding') && request.header('Content-Encoding')?.toLowerCase() !== 'identity') {
    return refuse(415, 'content-encoding', [['Accept-Encoding', 'identity']]);
  }
  const from = parseSipUri(request.from.uri);
  const user = from.ok ? userOf(from.value) : undefined;
  const refusal = busy ? 'Server Busy' : from.ok && mayAsk(from.value) ? undefined : 'Forbidden';
  const { reason, body, issued, accounts, fault } = answerCredentialsRequest(request.body, policy, wall, {
    user,
    refusal,
    overdue,
  });
  // RFC 3261 §20.17: callers compare clocks, since credentials are worth what both sides take for the time.
  const headers = [
    ['Content-Type', MRAS_CONTENT_TYPE],
    ['Date', new Date(wall).toUTCString()],
  ] as const;
  return { status: 200, headers, body, outcome: reason, issued, user, accounts, fault };
}

function refuse(
  status: number,
  outcome: SipRefusal,
  headers: readonly (readonly [string, string])[] = [],
): Answer {
  return { status, headers, body: undefined, outcome, issued: 0, user: undefined, accounts: [] };
}

/** `user@host` of a user's address, in one spelling; undefined for a server that asks in its own name. */
function userOf({ user, host }: SipUri): string | undefined {
  return user === undefined ? undefined : `${user}@${host}`.toLowerCase();
}

/** Type and subtype without parameters, lower case. */
function mediaType(header: string | undefined): string | undefined {
  return header?.split(';', 1)[0]?.trim().toLowerCase();
}
