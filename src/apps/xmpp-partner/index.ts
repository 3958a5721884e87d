export { startOwnPartner } from './own-partner.ts';
export type { PartnerOptions, XmppPartner } from './partner.ts';
export { hasProsody, startProsodyPartner } from './prosody-partner.ts';
export { type HeardByResident, Resident } from './resident.ts';
