import type { SipMessage } from '#protocols/sip';
import {
  ASSERTED_LEVEL,
  isSaidVerified,
  type MessageSourceType,
  type MessageTrust,
  type SourceKind,
} from '#protocols/trust-marking';
import { isPublic, type Partner, type PartnerKind } from './partner-table.ts';

/** Whether the sender of a partner's message counts as verified, by the level that the document gives to the partner. */
export function isVerified({ verification }: Partner, message: SipMessage): boolean {
  switch (verification) {
    case 'always-verifiable':
      return true;
    case 'always-unverifiable':
      return false;
    case 'use-source':
      return isSaidVerified(message.header(ASSERTED_LEVEL));
  }
}

/**
 * Whether a sender reaches only users who have that sender on their contact list. That is what always-unverifiable means, of
 * whomever the document says it; unverified senders at a provider, public or hosting, are held to it as well.
 */
export function reachesContactsOnly({ verification, provider }: Partner, verified: boolean): boolean {
  return verification === 'always-unverifiable' || (provider !== undefined && !verified);
}

const TYPES: Readonly<Record<PartnerKind, MessageSourceType>> = {
  'allowed-server': 'DirectPartner',
  'allowed-domain': 'AutoFederation',
  provider: 'AuthorizedServer',
  'default-route': 'DirectPartner',
  discovered: 'AutoFederation',
};

/** Who stands behind a partner's message, in the words of the next hop. */
export function sourceKind(partner: Partner): SourceKind {
  return isPublic(partner) ? 'provider' : 'federated';
}

/** What the next hop is told of a partner's message ([MS-SIPRE] §2.2.15). */
export function messageTrust(partner: Partner, verified: boolean, edge: string): MessageTrust {
  const { kind, provider, proxy } = partner;
  if (provider === undefined) return { type: TYPES[kind], edge, verified, network: 'federation' };
  const network = isPublic(partner) ? 'publiccloud' : 'federation';
  return { type: TYPES[kind], edge, verified, network, remote: proxy };
}
