import { err, ok, type Result } from '#kernel';
import { parseNameAddress, type SipRequest } from '#protocols/sip';
import { bareOf, bareOfSip, jidOfSip, sipOfJid } from '#protocols/sip-xmpp';
import type { XmlElement } from '#protocols/xml';
import { type Jid, parseJid } from '#protocols/xmpp';
import type { GatewaySettings, RefusalNote } from './gateway-context.ts';
import type { Refusal } from './gateway-metrics.ts';
import type { Pair } from './gateway-store.ts';

/** Sender and receiver of one request or stanza, in the form of XMPP, with what they had for resources. */
export interface Parties extends Pair {
  readonly from: Jid;
  readonly to: Jid;
}

export type PartyProblem = 'foreign-domain' | 'address';

/** Who a SIP request is from and for: a user of ours, and somebody at a partner. */
export function partiesOfRequest(
  request: SipRequest,
  { domains }: GatewaySettings,
): Result<Parties, PartyProblem> {
  const [sender, receiver] = [jidOfSip(request.from.uri), jidOfSip(request.uri)];
  if (!sender.ok || !receiver.ok) return err('address');
  if (!domains.has(sender.value.domain) || domains.has(receiver.value.domain)) return err('foreign-domain');
  const from = { ...sender.value, ...resourceOf(sender.value, request) };
  return ok({ from, to: receiver.value, local: bareOf(from), remote: bareOf(receiver.value) });
}

/** RFC 7247 §6.4: the device, by the GRUU of the From or else of the Contact. */
function resourceOf({ resource }: Jid, request: SipRequest): { readonly resource?: string } {
  if (resource !== undefined) return { resource };
  const contact = parseNameAddress(request.values('Contact')[0] ?? '');
  const jid = contact.ok && contact.value.uri.includes(';gr=') ? jidOfSip(contact.value.uri) : undefined;
  return jid?.ok && jid.value.resource !== undefined ? { resource: jid.value.resource } : {};
}

/** Whether a request of a dialog is from the user of ours that the dialog is with. */
export function isFrom(request: SipRequest, local: string): boolean {
  const sender = bareOfSip(request.from.uri);
  return sender.ok && sender.value === local;
}

/** Who a stanza is from and for: somebody at a partner, and a user of ours. */
export function partiesOfStanza(
  { attributes }: XmlElement,
  { domains }: GatewaySettings,
): Result<Parties, PartyProblem> {
  const from = parseJid(attributes.get('from') ?? '');
  const to = parseJid(attributes.get('to') ?? '');
  if (from?.local === undefined || to?.local === undefined) return err('address');
  if (domains.has(from.domain) || !domains.has(to.domain)) return err('foreign-domain');
  return ok({ from, to, local: bareOf(to), remote: bareOf(from) });
}

/** What is told of a request that went no further. */
export function noteOf({ from, uri }: SipRequest, reason: Refusal): RefusalNote {
  return { reason, from: from.uri, to: uri };
}

/** The SIP address of one of the two; undefined for the address of a domain, which has none. */
export function sipAddress(jid: Jid, device = false): string | undefined {
  const sip = sipOfJid(jid, device);
  return sip.ok ? sip.value : undefined;
}

export function jidOfBare(bare: string): Jid {
  const jid = parseJid(bare);
  if (jid === undefined) throw new Error('a stored address is none');
  return jid;
}

/** The address of a pair as a SIP URI. */
export function sipOfBare(bare: string): string {
  const sip = sipAddress(jidOfBare(bare));
  if (sip === undefined) throw new Error('a stored address has no user');
  return sip;
}
