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
 * Who may be outside, where the document says so. A sign-in of somebody else goes on, in vain, so that until the password
 * was right nobody can tell who may; everything else then needs a sign-in before it.
 */
export function checkUser(
  request: SipRequest,
  decision: ForwardInward,
  { externalAccess }: AccessSettings,
): ForwardInward | Refusal {
  if (!externalAccess.restrictsRemote || decision.guest === true) return decision;
  const mayBeOutside = (address: string | undefined) =>
    address !== undefined && externalAccess.rightsOf(address).remote;
  if (request.method !== 'REGISTER') {
    return mayBeOutside(decision.asserted) ? decision : refuse(403, 'not-signed-in');
  }
  return mayBeOutside(canonicalAddress(request.to.uri)) ? decision : { ...decision, inVain: true };
}
