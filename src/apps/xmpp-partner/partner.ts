import type { Clock, Random } from '#kernel';
import type { XmlElement } from '#protocols/xml';

/** An XMPP server of another organisation that speaks with ours. */
export interface XmppPartner {
  /** What it is, for people. */
  readonly title: string;
  /** Hands a stanza of one of its people over, on its way to our domain. */
  send(stanza: XmlElement): void;
  stop(): Promise<void>;
}

export interface PartnerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Its domain, which its certificate holds. */
  readonly domain: string;
  /** Where it listens and from where it dials; port 5269, as between all XMPP servers. */
  readonly address: string;
  /** PEM files. */
  readonly certificate: { readonly certificate: string; readonly key: string };
  /** PEM file of the authority of both sides. */
  readonly authority: string;
  /** Our domain, and the host and address under which the partner finds its XMPP server. */
  readonly peer: { readonly domain: string; readonly host: string; readonly address: string };
  /** `port` of UDP at an IP address: who answers for the host. */
  readonly nameServer: { readonly address: string; readonly port: number };
  /** A folder of its own, for a server that needs files; it is made. */
  readonly folder: string;
  /** A stanza came for one of its people. */
  readonly handleStanza: (stanza: XmlElement) => void;
  /** What became of a stanza that was handed over: our domain has it, or why that is not known. Not of every server. */
  readonly handleFate?: (stanza: XmlElement, failed: string | undefined) => void;
  /** A stanza did not reach our domain, or the partner is ill: for people. */
  readonly handleTrouble: (what: string) => void;
}

/** The port of streams between servers (RFC 6120 §14.7). */
export const SERVER_PORT = 5269;
