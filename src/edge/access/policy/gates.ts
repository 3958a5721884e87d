import type { SipRequest } from '#protocols/sip';
import type { AccessSettings } from '../settings.ts';
import { canonicalAddress } from './common.ts';
import type { ForwardInward } from './from-client.ts';
import { type Refusal, refuse } from './refusal.ts';

/** What a user is told who may not be outside, once the password was right ([MS-OCER]). */
export const NOT_ENABLED_FOR_REMOTE: readonly [string, string] = [
  'ms-diagnostics-public',
  '4003;reason="From URI is not enabled for remote access"',
];

/** The organisation's own switches, before anything is asked about the user. */
export function checkRemoteAccess({ remoteAccess }: AccessSettings): Refusal | undefined {
  return remoteAccess.allowed ? undefined : refuse(403, 'remote-access-off');
}

/**
 * The list of who may be outside, where the document has one. A sign-in of somebody else goes on, in vain, so that until
 * the password was right nobody can tell who is on the list; everything else then needs a sign-in before it.
 */
export function checkListed(
  request: SipRequest,
  decision: ForwardInward,
  { onlyUsers }: AccessSettings,
): ForwardInward | Refusal {
  if (onlyUsers === undefined || decision.guest === true) return decision;
  if (request.method !== 'REGISTER') {
    return decision.asserted === undefined ? refuse(403, 'not-signed-in') : decision;
  }
  const address = canonicalAddress(request.to.uri)?.toLowerCase();
  const listed = address !== undefined && onlyUsers.has(address);
  return listed ? decision : { ...decision, inVain: true };
}
