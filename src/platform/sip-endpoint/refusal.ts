import { buildResponse, type SipRequest } from '#protocols/sip';
import type { MessageDropReason } from './types.ts';

/** Seconds after which a client may come back when the transaction table is full, or its share of it. */
const RETRY_AFTER = '5';

/** Why a request begins no transaction. */
export type RefusalCause = 'full' | 'merged' | 'flow-requests-full' | 'share-full';

/** As what it is counted. */
export const droppedAs = {
  full: 'transactions-full',
  merged: 'merged-request',
  'flow-requests-full': 'flow-requests-full',
  'share-full': 'share-full',
} as const satisfies Record<RefusalCause, MessageDropReason>;

/** With what its sender is answered. */
export function refusalOf(
  request: SipRequest,
  cause: RefusalCause,
  toTag: string,
): { readonly status: number; readonly bytes: Buffer } {
  const status = cause === 'merged' ? 482 : 503;
  const headers = [['Retry-After', RETRY_AFTER]] as const;
  const bytes = buildResponse(request, status, status === 503 ? { toTag, headers } : { toTag });
  return { status, bytes };
}
