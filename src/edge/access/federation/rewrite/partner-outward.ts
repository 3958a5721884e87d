import type { MessageEdit, SipRequest, SipResponse } from '#protocols/sip';
import { ASSERTED_LEVEL, VERIFIED_LEVEL } from '#protocols/trust-marking';
import { hideOutward, outwardRequest } from '../../rewrite/outward.ts';
import { externalUri, type Scene } from '../../rewrite/scene.ts';
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
  if (response.has('Record-Route')) foldRecordRoute(edit, response, original.token, scene);
  mark(edit, federation);
}

/** Tells people elsewhere that what they write is kept. Of our own making: the original's name was never published. */
const ARCHIVING = 'ms-archiving-notice';

function mark(edit: MessageEdit, { markOutgoing, archivingDisclaimer }: FederationSettings): void {
  if (archivingDisclaimer) edit.append(ARCHIVING, 'archived=yes');
  if (markOutgoing) edit.append(ASSERTED_LEVEL, VERIFIED_LEVEL);
}

/** What stands above ours is the inside's and goes behind ours; what stands below is the partner's own, and stays. */
function foldRecordRoute(edit: MessageEdit, response: SipResponse, token: string, scene: Scene): void {
  const values = response.values('Record-Route');
  const isOwn = (value: string) => value.includes(`:${token}@`);
  const first = values.findIndex(isOwn);
  const inside = first < 0 ? values : values.slice(0, first);
  const theirs = first < 0 ? [] : values.slice(values.findLastIndex(isOwn) + 1);
  const folded = scene.hiding.foldRoutes(inside.reverse());
  edit.replace('Record-Route', [`<${externalUri(scene.settings, token, folded)}>`, ...theirs].join(', '));
}
