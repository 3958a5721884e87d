import { type Random, randomToken } from '#kernel';
import {
  answerChallenge,
  buildRequest,
  formatCredentials,
  parseChallenge,
  type SipResponse,
} from '#protocols/sip';

export interface PhoneIdentity {
  /** `sip:alice@lab.test` */
  readonly address: string;
  readonly password: string;
}

/** A request before it is written: what stays the same when it is sent again with credentials. */
export interface RequestPlan {
  readonly method: string;
  readonly uri: string;
  readonly to: string;
  readonly callId: string;
  readonly fromTag: string;
  readonly cseq: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** A request outside a dialog, ready to be sent. */
export function writeRequest(
  plan: RequestPlan,
  identity: PhoneIdentity,
  via: string,
  credentials: readonly (readonly [string, string])[],
): Buffer {
  return buildRequest({
    method: plan.method,
    uri: plan.uri,
    headers: [
      ['Via', via],
      ['Max-Forwards', '70'],
      ['From', `<${identity.address}>;tag=${plan.fromTag}`],
      ['To', `<${plan.to}>`],
      ['Call-ID', plan.callId],
      ['CSeq', `${plan.cseq} ${plan.method}`],
      ...credentials,
      ...(plan.headers ?? []),
    ],
    ...(plan.body === undefined ? {} : { body: plan.body }),
  });
}

/** The headers that answer a 401 or 407, or undefined when it holds no challenge that we can answer. */
export function credentialHeaders(
  response: SipResponse,
  plan: RequestPlan,
  identity: PhoneIdentity,
  random: Random,
): (readonly [string, string])[] | undefined {
  const proxy = response.status === 407;
  for (const text of response.values(proxy ? 'proxy-authenticate' : 'www-authenticate')) {
    const challenge = parseChallenge(text);
    if (!challenge.ok) continue;
    const credentials = answerChallenge(challenge.value, {
      username: identity.address.slice('sip:'.length, identity.address.indexOf('@')),
      password: identity.password,
      method: plan.method,
      uri: plan.uri,
      cnonce: randomToken(random, 16),
      nc: 1,
    });
    return [[proxy ? 'Proxy-Authorization' : 'Authorization', formatCredentials(credentials)]];
  }
  return undefined;
}
