import type { SipRequest } from '../messages/message.ts';

/** RFC 3261 §12: Call-ID, local tag, remote tag. No part can hold a line end, so the joint is unambiguous. */
export function dialogId(
  callId: string,
  localTag: string | undefined,
  remoteTag: string | undefined,
): string {
  return `${callId}\n${localTag ?? ''}\n${remoteTag ?? ''}`;
}

/** The id of the dialog that a request from the peer belongs to; undefined outside of any. */
export function dialogIdOf(request: SipRequest): string | undefined {
  const localTag = request.to.tag;
  return localTag === undefined ? undefined : dialogId(request.callId, localTag, request.from.tag);
}
