/** What a watcher who asks to see somebody's presence gets (the values of RFC 5025 §3.2.1). */
export const decisions = ['allow', 'block', 'polite-block', 'confirm'] as const;
export type Decision = (typeof decisions)[number];

/** What watchers get of whom nothing has been decided. */
export interface Approval {
  /** Users of this front end. */
  readonly colleagues: Decision;
  /** People of other organisations. */
  readonly outsiders: Decision;
}

export interface PresenceSettings {
  readonly minExpiresSeconds: number;
  readonly maxExpiresSeconds: number;
  readonly defaultExpiresSeconds: number;
  /** Subscriptions to one user, and watchers of one user about whom something is remembered. */
  readonly watchersPerUser: number;
  readonly subscriptionsPerWatcher: number;
  readonly subscriptions: number;
  readonly publicationsPerUser: number;
  readonly documentBytes: number;
  /** Between two notifications of changes to one subscriber (RFC 3856 §6.10). */
  readonly notifySeconds: number;
  readonly approval: Approval;
}
