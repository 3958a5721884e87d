/**
 * The header field by which edges of the original tell their next hop where a message came from ([MS-SIPRE] §2.2.15).
 * An edge adds it to every request and response that came from a partner or provider, and removes it from whatever
 * comes from outside.
 */
export const MESSAGE_TRUST = 'ms-edge-proxy-message-trust';

/** The class of the sender. */
export type MessageSourceType =
  /** A server on a list, such as that of a provider. */
  | 'AuthorizedServer'
  /** A partner found by DNS. */
  | 'AutoFederation'
  /** A partner whose edge the document names. */
  | 'DirectPartner'
  /** An answer that this edge made itself. */
  | 'EdgeProxyGenerated'
  | 'InternetUser';

export interface MessageTrust {
  readonly type: MessageSourceType;
  /** The edge's own name. */
  readonly edge: string;
  readonly verified: boolean;
  readonly network: 'federation' | 'publiccloud';
  /** The provider's name, of messages that came through one. */
  readonly remote?: string | undefined;
}

export function formatMessageTrust({ type, edge, verified, network, remote }: MessageTrust): string {
  const level = verified ? 'verified' : 'unverified';
  const from = remote === undefined ? '' : `;ms-remote-fqdn=${remote}`;
  return (
    `ms-source-type=${type};ms-ep-fqdn=${edge};ms-source-verified-user=${level};` +
    `ms-source-network=${network}${from}`
  );
}

/** What an edge says of its own senders when it sends to a partner: that it has verified them. */
export const ASSERTED_LEVEL = 'ms-asserted-verification-level';
export const VERIFIED_LEVEL = 'ms-source-verified-user=verified';

/** Whether a partner says that it has verified the sender; without a word of it, it has not. */
export function isSaidVerified(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === VERIFIED_LEVEL;
}
