import { hash } from 'node:crypto';
import type { WallTime } from '#kernel';
import { type Watcher, writeWatcherInfo } from '#protocols/presence';
import type { Rule } from './presence-store.ts';
import type { Decision } from './settings.ts';
import type { Subscription } from './subscription.ts';

const ID_LENGTH = 16;
/** More do not fit into a NOTIFY; whoever waits for a decision comes first. */
const MOST_LISTED = 100;

type Seen = Pick<Subscription, 'id' | 'watcher' | 'begun' | 'expires'> & { readonly decision: Decision };

/** RFC 3858: everybody who watches, and everybody who has asked and waits for an answer. Full state at all times. */
export function watcherList(
  presentity: string,
  version: number,
  seen: readonly Seen[],
  rules: readonly Rule[],
  wall: WallTime,
): Buffer {
  const watching = new Set(seen.map(({ watcher }) => watcher));
  const approved = new Set(
    rules.filter(({ decision }) => decision === 'allow').map(({ watcher }) => watcher),
  );
  const waiting = rules.filter(({ watcher, decision }) => isOpen(decision) && !watching.has(watcher));
  const listed = [
    ...seen.map((subscription): Watcher => {
      const { id, watcher, begun, expires, decision } = subscription;
      return {
        uri: `sip:${watcher}`,
        id: hash('sha256', id, 'hex').slice(0, ID_LENGTH),
        status: decision === 'confirm' ? 'pending' : 'active',
        event: approved.has(watcher) ? 'approved' : 'subscribe',
        expiration: Math.max(0, Math.round((expires - wall) / 1000)),
        subscribed: Math.max(0, Math.round((wall - begun) / 1000)),
      };
    }),
    ...waiting.map(
      ({ watcher }): Watcher => ({
        uri: `sip:${watcher}`,
        id: hash('sha256', watcher, 'hex').slice(0, ID_LENGTH),
        status: 'waiting',
        event: 'timeout',
      }),
    ),
  ];
  const undecided = (watcher: Watcher) => watcher.status !== 'active';
  const watchers = [...listed.filter(undecided), ...listed.filter((one) => !undecided(one))].slice(
    0,
    MOST_LISTED,
  );
  return writeWatcherInfo({
    ...{ version, state: 'full', resource: `sip:${presentity}`, package: 'presence' },
    watchers,
  });
}

function isOpen(decision: Rule['decision']): boolean {
  return decision === 'asked' || decision === 'confirm';
}
