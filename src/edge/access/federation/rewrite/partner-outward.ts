import type { MessageEdit, SipRequest, SipResponse } from '#protocols/sip';
import { ASSERTED_LEVEL, VERIFIED_LEVEL } from '#protocols/trust-marking';
import { hideOutward, outwardRequest } from '../../rewrite/outward.ts';
import type { Scene } from '../../rewrite/scene.ts';
import type { FederationSettings } from '../policy/settings.ts';
import type { PartnerOutward } from '../policy/to-partner.ts';

/** A request of the next hop as the partner gets it: no Via, route, target or Call-ID of the inside. */
export function partnerOutwardRequest(
  request: SipRequest,
  decision: PartnerOutward,
  token: string,
  branch: string,
  scene: Scene,
  federation: FederationSettings,
): Buffer {
  const { routes, requestUri, recordRoute } = decision;
  const delivery = { kind: 'deliver', token, routes, requestUri, recordRoute } as const;
  return outwardRequest(request, delivery, token, branch, scene, (edit) => mark(edit, federation));
}

/** The next hop's response to a partner's request as the partner gets it; our Via is already off it. */
export function partnerOutwardResponse(
  edit: MessageEdit,
  response: SipResponse,
  original: { readonly request: SipRequest; readonly token: string },
  scene: Scene,
  federation: FederationSettings,
): void {
  hideOutward(edit, response, original, scene);
  mark(edit, federation);
}

/** Tells people elsewhere that what they write is kept. Of our own making: the original's name was never published. */
const ARCHIVING = 'ms-archiving-notice';

function mark(edit: MessageEdit, { markOutgoing, archivingDisclaimer }: FederationSettings): void {
  if (archivingDisclaimer) edit.append(ARCHIVING, 'archived=yes');
  if (markOutgoing) edit.append(ASSERTED_LEVEL, VERIFIED_LEVEL);
}
