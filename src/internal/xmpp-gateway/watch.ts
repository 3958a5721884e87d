import type { Cancel, WallTime } from '#kernel';
import type { Dialog } from '#protocols/sip';
import type { DevicePresence } from '#protocols/sip-xmpp';
import type { Pair, StoredWatch } from './gateway-store.ts';

/** What a stored watch is while the gateway runs. */
export interface Watch extends Pair {
  state: StoredWatch['state'];
  expires: WallTime;
  /** When something is to be done: a renewal, or another attempt. */
  due: WallTime;
  dialog: Dialog | undefined;
  /** Call-ID and our tag of the request that has not been answered yet. */
  calling: string | undefined;
  /** What the SIP side said last; undefined: nothing yet. */
  known: readonly DevicePresence[] | undefined;
  readonly shown: Set<string>;
  announced: boolean;
  attempts: number;
  /** A question whether the other side is still there is under way. */
  guard: { readonly id: string; readonly cancel: Cancel } | undefined;
  /** A question for the state of the moment only (RFC 8048 §7.1: probe). */
  readonly once: boolean;
}

export function newWatch({ local, remote }: Pair, wall: WallTime, once: boolean): Watch {
  return {
    local,
    remote,
    state: 'pending',
    expires: wall,
    due: Number.POSITIVE_INFINITY,
    dialog: undefined,
    calling: undefined,
    known: undefined,
    shown: new Set(),
    announced: false,
    attempts: 0,
    guard: undefined,
    once,
  };
}
