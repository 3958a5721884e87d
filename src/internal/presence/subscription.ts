import type { WallTime } from '#kernel';
import { Dialog, type DialogRecord, type EventName } from '#protocols/sip';

export const packages = ['presence', 'presence.winfo'] as const;
export type EventPackage = (typeof packages)[number];

/**
 * How a subscriber is reached: on its own connection, through an edge, or on a connection of a trusted peer. `by` tells where
 * behind an edge somebody of another organisation is; what was stored before that was asked does not say it.
 */
export type Reach =
  | { readonly kind: 'flow'; readonly token: string }
  | { readonly kind: 'edge'; readonly edge: string; readonly by?: 'partner' | 'provider' }
  | { readonly kind: 'peer'; readonly peer: string };

/** Who sends a request about presence; proven. */
export interface Subscriber {
  /** `user@domain`. */
  readonly address: string;
  /** Of another organisation. */
  readonly outsider: boolean;
  readonly reach: Reach;
}

/** One subscription (RFC 6665): a dialog in which notifications go to a watcher. */
export interface Subscription {
  readonly id: string;
  readonly presentity: string;
  readonly watcher: string;
  readonly outsider: boolean;
  readonly event: EventName & { readonly package: EventPackage };
  readonly dialog: Dialog;
  readonly begun: WallTime;
  reach: Reach;
  expires: WallTime;
}

/** A subscription as it is stored. */
export interface SubscriptionRecord extends Omit<Subscription, 'dialog'> {
  readonly dialog: DialogRecord;
}

/** Numbers that a dialog may use up before it is stored again; after a restart it goes on behind them. */
const RESERVED = 64;

export function recordOf(subscription: Subscription): SubscriptionRecord {
  const { record } = subscription.dialog;
  const dialog = { ...record, localCSeq: (record.localCSeq ?? 0) + RESERVED };
  return { ...subscription, dialog };
}

export function restored(record: SubscriptionRecord): Subscription | undefined {
  const dialog = Dialog.restore(record.dialog);
  return dialog === undefined ? undefined : { ...record, dialog };
}
