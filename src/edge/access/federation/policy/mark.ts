import type { SipMessage } from '#protocols/sip';
import { ASSERTED_LEVEL, isSaidVerified, type MessageTrust } from '#protocols/trust-marking';
import type { Partner } from './partner-table.ts';

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

/** What the next hop is told of a partner's message ([MS-SIPRE] §2.2.15). */
export function messageTrust(partner: Partner, verified: boolean, edge: string): MessageTrust {
  const type = partner.kind === 'allowed-server' ? 'DirectPartner' : 'AutoFederation';
  return { type, edge, verified, network: 'federation' };
}
