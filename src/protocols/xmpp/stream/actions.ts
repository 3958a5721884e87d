import type { XmlElement } from '#protocols/xml';
import type { StreamReason } from './drop.ts';

/** A domain that speaks and the domain that it speaks to. */
export interface DomainPair {
  readonly from: string;
  readonly to: string;
}

/** `broken`: what was said lately may be lost. `open`: there is a stream again, after stanzas came back or waited. */
export const partnerStreamStates = ['open', 'broken'] as const;
export type PartnerStreamState = (typeof partnerStreamStates)[number];

/** What the owner of a stream has to do now, in this order. */
export type StreamAction =
  /** Write this text, as UTF-8. */
  | { readonly type: 'send'; readonly text: string }
  /** Begin TLS on the transport, then call `handleSecured`. Bytes received before it are gone already. */
  | { readonly type: 'start-tls' }
  /** A stanza of a domain that was proven; call `handled(number)` once it is safe with the next one. */
  | {
      readonly type: 'stanza';
      readonly stanza: XmlElement;
      readonly number: number;
      readonly pair: DomainPair;
    }
  /** Ask the server of `pair.from` whether this key is its own, then call `handleDialbackChecked`. */
  | {
      readonly type: 'check-dialback';
      readonly pair: DomainPair;
      readonly key: string;
      readonly streamId: string;
    }
  /** A domain was proven to us, or ours to the peer. */
  | {
      readonly type: 'authorized';
      readonly pair: DomainPair;
      readonly by: 'sasl-external' | 'dialback' | 'bidi';
    }
  /** Our domain was not believed, or the peer's was not proven. */
  | { readonly type: 'refused'; readonly pair: DomainPair; readonly reason: StreamReason }
  /** The answer to a question that was put by `verify`. */
  | {
      readonly type: 'verified';
      readonly pair: DomainPair;
      readonly streamId: string;
      readonly valid: boolean;
    }
  /** The stanzas that the peer has taken over, oldest first. */
  | { readonly type: 'acknowledged'; readonly stanzas: readonly XmlElement[] }
  /** On a link: the proxy asks the gateway to send by another edge. */
  | { readonly type: 'draining' }
  /** On a link: what became of the proxy's streams with a partner. */
  | { readonly type: 'partner-stream'; readonly domain: string; readonly state: PartnerStreamState }
  /** On a link: what is acknowledged next holds this stanza of ours, and its partner does not have it yet. */
  | { readonly type: 'held'; readonly number: number }
  /** On a link: of a stanza that was held, the partner has taken it over, or the answer to it is there. */
  | { readonly type: 'passed'; readonly number: number }
  /** Write what was sent, then close the transport. Nothing follows. */
  | { readonly type: 'close'; readonly reason: StreamReason; readonly detail?: string };
