export { PresenceAgent, type Users } from './agent.ts';
export type { Notification, Outcome } from './notifier.ts';
export { forgetPresentity, PresenceStore, presenceTables } from './presence-store.ts';
export { ALLOW_EVENTS, type Reply } from './reply.ts';
export { type Approval, type Decision, decisions, type PresenceSettings } from './settings.ts';
export type { Reach, Subscriber } from './subscription.ts';
