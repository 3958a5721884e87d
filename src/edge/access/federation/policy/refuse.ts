import { type Refusal, refuse } from '../../policy/refusal.ts';
import { publicDiagnostics } from './diagnostics.ts';
import type { FederationReason } from './federation-reasons.ts';

/** RFC 3261 §21, and the published number of the cause ([MS-OCER] §2.2.1.2). */
const ANSWERS: Readonly<Record<FederationReason, readonly [status: number, diagnostic: number]>> = {
  'federation-not-allowed': [403, 1002],
  'federation-off': [403, 1002],
  'own-domain': [403, 1017],
  'blocked-domain': [403, 1002],
  'unlisted-domain': [403, 1002],
  'provider-off': [403, 1001],
  'from-not-verified': [403, 1002],
  'asserted-identity': [403, 1002],
  'via-host': [403, 1002],
  'record-route-host': [403, 1002],
  'foreign-sender': [403, 1017],
  'user-not-enabled': [403, 1002],
  'user-not-for-providers': [403, 1001],
  'partner-method': [403, 1027],
  'no-transit': [403, 1017],
  'provider-method': [403, 1027],
  'provider-conference': [403, 1027],
  'provider-media': [488, 1027],
  'provider-address': [404, 1005],
  'partner-rate': [503, 1007],
  'partner-users': [403, 1002],
  'partner-suspicious': [503, 1007],
  'partner-unresolvable': [504, 1008],
  'partner-name': [504, 1009],
  'partner-address': [504, 1014],
  'partner-certificate': [504, 1010],
  'partner-unreachable': [504, 1007],
  'partner-busy': [503, 1007],
};

const RETRY_AFTER = '5';

/** The refusal of a message for one of the reasons of federation. */
export function refuseFederation(reason: FederationReason): Refusal {
  const [status, diagnostic] = ANSWERS[reason];
  const headers: [string, string][] = [publicDiagnostics(diagnostic)];
  if (status === 503) headers.push(['Retry-After', RETRY_AFTER]);
  return refuse(status, reason, headers);
}
