import { type Random, randomToken } from '#kernel';
import {
  answerChallenge,
  buildRequest,
  formatCredentials,
  formatNameAddress,
  parseChallenge,
  type SipResponse,
} from '#protocols/sip';

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Who asks, as From says and as a challenge is answered. */
export interface AgentIdentity {
  /** `sip:alice@example.com` */
  readonly address: string;
  readonly displayName?: string;
  readonly username: string;
  readonly password: string;
  /** The only realm whose challenges are answered; undefined: any. */
  readonly realm?: string;
}

/** A request before it is written: what stays the same when it is sent again with credentials. */
export interface RequestPlan {
  readonly method: string;
  readonly uri: string;
  readonly to: string;
  readonly identity: AgentIdentity;
  readonly callId: string;
  readonly fromTag: string;
  readonly headers: HeaderList;
}

/** A request outside a dialog, ready to be sent. */
export function writeRequest(plan: RequestPlan, via: string, cseq: number, credentials: HeaderList): Buffer {
  const { method, uri, to, identity, callId, fromTag, headers } = plan;
  const from = { uri: identity.address, display: identity.displayName, tag: fromTag };
  return buildRequest({
    method,
    uri,
    headers: [
      ['Via', via],
      ['Max-Forwards', '70'],
      ['From', formatNameAddress(from)],
      ['To', formatNameAddress({ uri: to })],
      ['Call-ID', callId],
      ['CSeq', `${cseq} ${method}`],
      ...credentials,
      ...headers,
    ],
  });
}

/**
 * The header that answers a 401 or 407: the first challenge that is understood (RFC 8760 §2.4) and that is of the realm that
 * we know a password for. Undefined when there is none.
 */
export function answerOf(
  response: SipResponse,
  request: { readonly method: string; readonly uri: string; readonly identity: AgentIdentity },
  random: Random,
): HeaderList | undefined {
  const { method, uri, identity } = request;
  const { username, password, realm } = identity;
  const proxy = response.status === 407;
  for (const text of response.values(proxy ? 'proxy-authenticate' : 'www-authenticate')) {
    const challenge = parseChallenge(text);
    if (!challenge.ok || (realm !== undefined && challenge.value.realm !== realm)) continue;
    const cnonce = randomToken(random, 16);
    const answer = answerChallenge(challenge.value, { username, password, method, uri, cnonce, nc: 1 });
    return [[proxy ? 'Proxy-Authorization' : 'Authorization', formatCredentials(answer)]];
  }
  return undefined;
}
