import type { SipMessage } from '../messages/message.ts';
import { readParameters } from './parameters.ts';

/** Why a subscription ended (RFC 6665 §4.1.3). */
export const terminationReasons = [
  'deactivated',
  'probation',
  'rejected',
  'timeout',
  'giveup',
  'noresource',
  'invariant',
] as const;
export type TerminationReason = (typeof terminationReasons)[number];

/** Subscription-State of a NOTIFY (RFC 6665 §8.2.3). Times in seconds. */
export type SubscriptionState =
  | { readonly state: 'active' | 'pending'; readonly expires?: number }
  | { readonly state: 'terminated'; readonly reason?: TerminationReason; readonly retryAfter?: number };

/** Undefined when there is none that can be read; an unknown state counts as active (RFC 6665 §4.1.3). */
export function subscriptionStateOf(notify: SipMessage): SubscriptionState | undefined {
  const text = notify.header('Subscription-State');
  const read = text === undefined ? undefined : readParameters(text);
  if (read === undefined) return undefined;
  const { value, parameters } = read;
  if (value === 'terminated') {
    const reason = terminationReasons.find((word) => word === parameters.get('reason')?.toLowerCase());
    const retryAfter = secondsOf(parameters.get('retry-after'));
    return {
      state: 'terminated',
      ...(reason === undefined ? {} : { reason }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
  }
  const expires = secondsOf(parameters.get('expires'));
  return { state: value === 'pending' ? 'pending' : 'active', ...(expires === undefined ? {} : { expires }) };
}

export function formatSubscriptionState(state: SubscriptionState): string {
  if (state.state !== 'terminated') {
    return state.expires === undefined ? state.state : `${state.state};expires=${state.expires}`;
  }
  const reason = state.reason === undefined ? '' : `;reason=${state.reason}`;
  return `terminated${reason}${state.retryAfter === undefined ? '' : `;retry-after=${state.retryAfter}`}`;
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
