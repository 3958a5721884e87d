import { err, ok, type Result } from '#kernel';
import { MessageEdit } from '../messages/edit.ts';
import type { SipResponse } from '../messages/message.ts';
import type { Via } from '../messages/via.ts';

export type ResponseRefusal = 'not-ours' | 'no-next-via';

export interface ResponsePlan {
  /** The response without our Via. */
  readonly edit: MessageEdit;
  /** The Via that says where it goes now. */
  readonly next: Via;
}

/**
 * A response on its way back (RFC 3261 §16.7 steps 1 to 3, §18.1.2). One that does not carry our Via on top
 * was not asked for, one with no Via below ours was for ourselves: both are dropped, not forwarded.
 */
export function popOwnVia(
  response: SipResponse,
  isOurs: (via: Via) => boolean,
): Result<ResponsePlan, ResponseRefusal> {
  if (!isOurs(response.topVia)) return err('not-ours');
  const next = response.vias()[1];
  if (next === undefined) return err('no-next-via');
  return ok({ edit: new MessageEdit(response).removeFirst('Via'), next });
}
