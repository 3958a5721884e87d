import type { Endpoint } from '#platform/net';
import {
  MessageEdit,
  maxBreadth,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  stampedVia,
} from '#protocols/sip';
import {
  ASSERTED_SOURCE,
  formatAssertedSource,
  formatMessageTrust,
  MESSAGE_TRUST,
} from '#protocols/trust-marking';
import { DEFAULT_MAX_FORWARDS } from '../../policy/common.ts';
import { openHidden, restoreVias } from '../../rewrite/inward.ts';
import { replaceWith } from '../../rewrite/lists.ts';
import { ownRoutes, routesAboveOurs } from '../../rewrite/recorded-routes.ts';
import { type Scene, shownParameter } from '../../rewrite/scene.ts';
import { isNotForPartners } from '../../trust.ts';
import type { PartnerInward } from '../policy/from-partner.ts';
import { isVerified, messageTrust, reachesContactsOnly, sourceKind } from '../policy/mark.ts';
import type { Partner } from '../policy/partner-table.ts';

export interface PartnerSource {
  /** Names the partner in our Record-Route. */
  readonly token: string;
  readonly remote: Endpoint;
  readonly partner: Partner;
}

/** A partner's request as the next hop gets it (RFC 3261 §16.6). */
export function partnerInwardRequest(
  request: SipRequest,
  decision: PartnerInward,
  source: PartnerSource,
  branch: string,
  scene: Scene,
): Buffer {
  const { settings } = scene;
  const edit = new MessageEdit(request);
  if (decision.requestUri !== undefined) edit.requestUri(decision.requestUri);
  const verified = isVerified(source.partner, request);
  strip(edit, request, scene);
  keepAssertedIdentity(edit, request, verified);
  openHidden(edit, request, scene);
  edit.replace('Max-Forwards', String((request.maxForwards ?? DEFAULT_MAX_FORWARDS + 1) - 1));
  edit.replace('Max-Breadth', String(maxBreadth(request)));
  if (decision.routes.length > 0) edit.replace('Route', decision.routes.join(', '));
  else if (request.has('Route')) edit.remove('Route');
  if (decision.recordRoute) edit.prepend('Record-Route', ownRoutes(source.token, scene).join(', '));
  edit.append(
    ASSERTED_SOURCE,
    formatAssertedSource({
      address: decision.sender,
      source: sourceKind(source.partner),
      verified,
      edge: settings.internal.host,
      ...(reachesContactsOnly(source.partner, verified) ? { contactsOnly: true } : {}),
    }),
  );
  markTrust(edit, source.partner, verified, scene);
  const via = stampedVia(request.topVia, source.remote);
  if (via !== undefined) {
    edit.removeFirst('Via');
    edit.prepend('Via', via);
  }
  edit.prepend('Via', `SIP/2.0/TLS ${settings.internal.host}:${settings.internal.port};branch=${branch}`);
  return edit.toBytes();
}

/** What the request that a partner answers looked like before we sent it outward. */
export interface OriginalToPartner {
  readonly request: SipRequest;
  /** Where it came from. */
  readonly remote: Endpoint;
  readonly token: string;
  readonly recordRoute: boolean;
  readonly partner: Partner;
  /** Whether the sender may have calls with people at public providers. */
  readonly media: boolean;
}

/** A partner's response as the next hop gets it: what we hid in the request is put back. */
export function partnerInwardResponse(
  edit: MessageEdit,
  response: SipResponse,
  original: OriginalToPartner,
  scene: Scene,
): void {
  const { request, partner, token } = original;
  const verified = isVerified(partner, response);
  strip(edit, response, scene);
  keepAssertedIdentity(edit, response, verified);
  openHidden(edit, response, scene, request.callId);
  restoreVias(edit, request, original.remote);
  markTrust(edit, partner, verified, scene);
  if (!response.has('Record-Route')) return;
  if (!original.recordRoute) {
    edit.remove('Record-Route');
    return;
  }
  const theirs = routesAboveOurs(response, token);
  const shown = shownParameter(scene.hiding.keyOfCallId(response.callId));
  const ours = ownRoutes(token, scene, shown).reverse();
  replaceWith(edit, 'Record-Route', [...theirs, ...ours, ...request.values('Record-Route')]);
}

function markTrust(edit: MessageEdit, partner: Partner, verified: boolean, { settings }: Scene): void {
  edit.append(MESSAGE_TRUST, formatMessageTrust(messageTrust(partner, verified, settings.internal.host)));
}

const ANSWER_AFTER = /;\s*answer-after\b/i;

/** Takes out what a partner has no say in (trust.ts). */
function strip(edit: MessageEdit, message: SipMessage, scene: Scene): void {
  for (let field = 0; field < message.fieldCount; field++) {
    if (!isNotForPartners.at(message, field)) continue;
    edit.remove(message.fieldName(field));
    scene.stripped();
  }
  // The same in a parameter that many telephones obey.
  if (!message.has('Call-Info') || !message.values('Call-Info').some((info) => ANSWER_AFTER.test(info)))
    return;
  edit.remove('Call-Info');
  scene.stripped();
}

/** RFC 3325 §5: only of a partner whose senders count as verified, and never a telephone number, which it cannot prove. */
function keepAssertedIdentity(edit: MessageEdit, message: SipMessage, verified: boolean): void {
  const values = message.values('P-Asserted-Identity');
  if (values.length === 0) return;
  // Of responses nobody has checked for whom the partner speaks.
  const kept =
    verified && message.kind === 'request' ? values.filter((value) => !/<?\s*tel:/i.test(value)) : [];
  if (kept.length === 0) edit.remove('P-Asserted-Identity');
  else if (kept.length < values.length) edit.replace('P-Asserted-Identity', kept.join(', '));
}
