import { PIDF_TYPE } from '#protocols/presence';
import type { SipMessage, SipRequest } from '#protocols/sip';

const LEAST_SECONDS = 60;

/** Subscription-State (RFC 6665 §8.2.3). */
export interface SubscriptionState {
  readonly state: 'active' | 'pending' | 'terminated';
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly expiresSeconds: number | undefined;
}

export function readSubscriptionState(message: SipMessage): SubscriptionState | undefined {
  const [value = '', ...parameters] = (message.header('Subscription-State') ?? '').split(';');
  const state = value.trim().toLowerCase();
  if (state !== 'active' && state !== 'pending' && state !== 'terminated') return undefined;
  const found = new Map<string, string>();
  for (const parameter of parameters) {
    const [name = '', text = ''] = parameter.split('=', 2);
    found.set(name.trim().toLowerCase(), text.trim().toLowerCase());
  }
  return {
    state,
    reason: found.get('reason'),
    retryAfterSeconds: secondsOf(found.get('retry-after')),
    expiresSeconds: secondsOf(found.get('expires')),
  };
}

/** A number of seconds as SIP writes it; undefined for whatever else. */
export function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text.trim()) ? Number(text) : undefined;
}

/** The package and the id of an Event header (RFC 6665 §8.2.1). */
export function readEvent(message: SipMessage): { readonly name: string; readonly id: string | undefined } {
  const [name = '', ...parameters] = (message.header('Event') ?? '').split(';');
  const id = parameters.map((part) => part.trim()).find((part) => part.toLowerCase().startsWith('id='));
  return { name: name.trim().toLowerCase(), id: id?.slice('id='.length) };
}

interface SubscriptionProblem {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** RFC 6665 §4.2.1, RFC 3856 §6: what is asked for is something else than can be given. */
export function subscriptionProblem(request: SipRequest): SubscriptionProblem | undefined {
  if (readEvent(request).name !== 'presence') return { status: 489, headers: [['Allow-Events', 'presence']] };
  const accepted = request.values('Accept').map((type) => type.split(';')[0]?.trim().toLowerCase() ?? '');
  const fits =
    accepted.length === 0 || accepted.some((type) => [PIDF_TYPE, '*/*', 'application/*'].includes(type));
  if (!fits) return { status: 406, headers: [['Accept', PIDF_TYPE]] };
  const asked = secondsOf(request.header('Expires'));
  if (asked !== undefined && asked > 0 && asked < LEAST_SECONDS) {
    return { status: 423, headers: [['Min-Expires', String(LEAST_SECONDS)]] };
  }
  return undefined;
}
