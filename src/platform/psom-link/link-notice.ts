import type { CloseReason } from '#platform/net';

/** Why a link ended, or was none. */
export type LinkEnd =
  | CloseReason
  /** Nobody opened it. */
  | 'not-connected'
  /** No hello, or none of ours, in time. */
  | 'hello'
  /** A newer link of the same peer took its place. */
  | 'replaced'
  /** The other end did not answer for too long. */
  | 'silent';

export interface LinkNotice {
  readonly peer: string;
  readonly address: string;
  readonly reason: LinkEnd;
  readonly detail: string | undefined;
}
