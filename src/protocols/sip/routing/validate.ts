import { err, ok, type Result } from '#kernel';
import type { SipRequest } from '../messages/message.ts';
import type { Via } from '../messages/via.ts';
import { hasLooped } from './branch.ts';

/** What a proxy answers instead of forwarding. */
export interface ProxyRefusal {
  readonly status: number;
  readonly reason: ProxyRefusalReason;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type ProxyRefusalReason =
  | 'uri-scheme'
  | 'request-uri'
  | 'too-many-hops'
  | 'loop'
  | 'proxy-require'
  | 'route';

export interface ProxyRules {
  /** Option tags that this proxy supports, in lower case. */
  readonly supported: ReadonlySet<string>;
  /** Recognises our own Via, for finding loops. */
  readonly isOurVia: (via: Via) => boolean;
}

export function refuse(
  status: number,
  reason: ProxyRefusalReason,
  headers: ProxyRefusal['headers'] = [],
): ProxyRefusal {
  return { status, reason, headers };
}

/**
 * RFC 3261 §16.3 steps 2 to 5; step 1 was done by the parser and step 6, authentication, is the service's.
 * An ACK is checked like any other request, but must not be answered: drop it.
 */
export function validateForProxy(request: SipRequest, rules: ProxyRules): Result<SipRequest, ProxyRefusal> {
  const uri = request.parsedUri();
  if (!uri.ok) {
    return uri.error === 'unsupported-scheme'
      ? err(refuse(416, 'uri-scheme'))
      : err(refuse(400, 'request-uri'));
  }
  // RFC 3261 §19.1.1: headers are not allowed in a Request-URI.
  if (uri.value.headers !== undefined) return err(refuse(400, 'request-uri'));
  if (request.maxForwards === 0) return err(refuse(483, 'too-many-hops'));
  if (hasLooped(request, rules.isOurVia)) return err(refuse(482, 'loop'));
  const unsupported = request
    .values('Proxy-Require')
    .filter((tag) => !rules.supported.has(tag.toLowerCase()));
  if (unsupported.length === 0) return ok(request);
  return err(refuse(420, 'proxy-require', [['Unsupported', unsupported.join(', ')]]));
}
