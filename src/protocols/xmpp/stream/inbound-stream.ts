import type { Monotonic } from '#kernel';
import { element, type StreamRoot, textOf, type XmlElement } from '#protocols/xml';
import { isDialbackKey } from '../dialback/key.ts';
import { NS } from '../namespaces.ts';
import { decodeAuthorizationIdentity } from '../sasl/external.ts';
import type { DomainPair, StreamAction } from './actions.ts';
import { dialback } from './dialback-elements.ts';
import type { StreamReason } from './drop.ts';
import { domainAttribute, isStanza, pairOf } from './stanza.ts';
import { StanzaChannel } from './stanza-channel.ts';
import { type PartnerTerms, type PeerSecurity, pairKey, type StreamSettings, usesTls } from './terms.ts';
import { rootProblem, StreamWire, speaksVersionOne } from './wire.ts';

/** Who may open streams to us. */
export interface ReceiverPolicy {
  /** Whether a domain is ours. */
  readonly hosts: (domain: string) => boolean;
  /** What is agreed with a domain; undefined for one that is no partner. */
  readonly partner: (domain: string) => PartnerTerms | undefined;
}

export interface InboundOptions extends StreamSettings {
  readonly policy: ReceiverPolicy;
  /** An unguessable id for each stream header. */
  readonly streamId: () => string;
  /** Present when TLS came first (XEP-0368). */
  readonly security?: PeerSecurity;
}

type State = 'header' | 'negotiating' | 'securing';

/** A stream that a partner opened: the receiving server of RFC 6120, and of XEP-0220. */
export class InboundStream {
  readonly #options: InboundOptions;
  readonly #wire: StreamWire;
  readonly #channel: StanzaChannel;
  /** By `from to`: asked about, or proven. */
  readonly #pairs = new Map<string, 'asked' | 'proven'>();
  #security: PeerSecurity | undefined;
  #state: State = 'header';
  #from: string | undefined;
  #to: string | undefined;
  #terms: PartnerTerms | undefined;
  /** The first domain that was proven, by whatever way. */
  #proven: string | undefined;
  /** The domain that SASL has proven. */
  #identity: string | undefined;
  #streamId = '';
  #bidi = false;
  /** When acknowledgements were offered; they are only to a peer that SASL has proven. */
  #offered: Monotonic | undefined;
  /** Whether it is settled if what goes back on this stream is acknowledged. */
  #back = false;
  #by: 'sasl-external' | 'dialback' | undefined;

  constructor(options: InboundOptions, now: Monotonic) {
    this.#options = options;
    this.#security = options.security;
    const { times, limits } = options;
    this.#wire = new StreamWire(this, times, limits.stranger, now);
    this.#channel = new StanzaChannel(this.#wire, limits.unacknowledged);
  }

  get closed(): boolean {
    return this.#wire.closed;
  }
  /** The first domain that was proven; until then the one that the header claims. */
  get peer(): string | undefined {
    return this.#proven ?? this.#from;
  }
  /** How the first domain was proven. */
  get provenBy(): 'sasl-external' | 'dialback' | undefined {
    return this.#by;
  }
  get secured(): boolean {
    return this.#security !== undefined;
  }
  get streamId(): string {
    return this.#streamId;
  }
  /** Stanzas that arrived and are not safe with the next one; whoever reads the transport waits when there are many. */
  get open(): number {
    return this.#channel.open;
  }
  /** Whether the peer acknowledges what it takes over (XEP-0198). */
  get managed(): boolean {
    return this.#channel.enabled;
  }
  /** So many stanzas wait for their acknowledgement that no more should be sent. */
  get full(): boolean {
    return this.#channel.full;
  }
  /**
   * Whether stanzas of ours may go to the peer on this stream (XEP-0288): after SASL not before its new header, nor before
   * it has enabled acknowledgements, said something else first or had the time to; else the first ones would go without.
   */
  carries(pair: DomainPair): boolean {
    if (this.closed || !this.#bidi || (this.#identity !== undefined && !this.#back)) return false;
    return this.#isProven({ from: pair.to, to: pair.from });
  }

  handleBytes(bytes: Uint8Array, now: Monotonic): StreamAction[] {
    if (this.#state !== 'securing') this.#wire.receive(bytes, now);
    return this.#wire.actions;
  }
  /** TLS is established. */
  handleSecured(security: PeerSecurity, now: Monotonic): StreamAction[] {
    this.#security = security;
    this.#state = 'header';
    this.#wire.handleTime(now);
    return this.#wire.actions;
  }
  /** What the authoritative server said about the key of `check-dialback`; undefined: it could not be asked. */
  handleDialbackChecked(pair: DomainPair, streamId: string, valid: boolean | undefined, now: Monotonic) {
    const key = pairKey(pair.from, pair.to);
    // Only what was asked on this very stream counts (XEP-0220 §2.5 and the notice of 2012).
    if (streamId === this.#streamId && this.#pairs.get(key) === 'asked')
      this.#answerDialback(pair, valid, now);
    return this.#wire.actions;
  }
  handled(number: number, now: Monotonic): StreamAction[] {
    this.#channel.handled(number, now);
    return this.#wire.actions;
  }
  /** Only for a pair that the stream carries. */
  send(stanza: XmlElement, now: Monotonic): StreamAction[] {
    this.#channel.send(stanza, now);
    return this.#wire.actions;
  }
  takeUnacknowledged(): XmlElement[] {
    return this.#channel.takeUnacknowledged();
  }
  /** @param paused nothing is read from the peer at present */
  handleTime(now: Monotonic, paused = false): StreamAction[] {
    this.#wire.handleTime(now, paused);
    if (this.#offered !== undefined && now - this.#offered >= ENABLE_MS) this.#openBack();
    return this.#wire.actions;
  }
  stop(reason: StreamReason): StreamAction[] {
    if (reason === 'shutdown') this.#wire.fail('system-shutdown', reason);
    else if (reason === 'slow-reader') this.#wire.fail('resource-constraint', reason);
    else this.#wire.fail('policy-violation', reason);
    return this.#wire.actions;
  }

  // The wire's user.

  handleRoot(root: StreamRoot, now: Monotonic): void {
    const problem = rootProblem(root);
    if (problem !== undefined) return this.#wire.fail(problem, 'header-invalid');
    if (!speaksVersionOne(root)) return this.#wire.fail('unsupported-version', 'version-unsupported');
    const to = domainAttribute(root, 'to');
    const from = domainAttribute(root, 'from');
    if (to === undefined) return this.#wire.fail('improper-addressing', 'improper-addressing');
    if (!this.#options.policy.hosts(to)) return this.#wire.fail('host-unknown', 'host-unknown', to);
    if (from === undefined) return this.#wire.fail('improper-addressing', 'improper-addressing');
    const known = this.#identity ?? this.#from;
    if (known !== undefined && known !== from) return this.#wire.fail('invalid-from', 'domain-changed', from);
    const terms = this.#options.policy.partner(from);
    if (terms === undefined) return this.#wire.fail('policy-violation', 'not-a-partner', from);
    this.#from = from;
    this.#to = to;
    this.#terms = terms;
    this.#wire.keepAlive(terms.keepAlive !== false);
    this.#state = 'negotiating';
    this.#streamId = this.#options.streamId();
    this.#pairs.clear();
    this.#wire.sendHeader({ from: to, to: from, id: this.#streamId }, now);
    this.#wire.sendFeatures(this.#features(terms, from), now);
    if (this.#identity !== undefined) this.#offered = now;
  }

  #features(terms: PartnerTerms, from: string): XmlElement[] {
    const features: XmlElement[] = [];
    if (this.#security === undefined) {
      if (usesTls(terms)) features.push(startTlsFeature(!terms.methods.includes('tcp-dialback')));
      if (terms.methods.includes('tcp-dialback')) features.push(dialbackFeature());
      return features;
    }
    if (this.#identity !== undefined) return [element(NS.management, 'sm')];
    if (terms.methods.includes('sasl-external') && this.#security.asserts(from)) {
      const mechanism = element(NS.sasl, 'mechanism', {}, ['EXTERNAL']);
      features.push(element(NS.sasl, 'mechanisms', {}, [mechanism]));
    }
    if (this.#allowsDialback(terms)) features.push(dialbackFeature());
    features.push(element(NS.bidiFeature, 'bidi'));
    return features;
  }

  #allowsDialback({ methods }: PartnerTerms): boolean {
    return methods.includes(this.#security === undefined ? 'tcp-dialback' : 'tls-dialback');
  }

  handleElement(received: XmlElement, now: Monotonic): void {
    switch (received.namespace) {
      case NS.tls:
        return this.#handleTls(received, now);
      case NS.sasl:
        return this.#handleSasl(received, now);
      case NS.dialback:
        return this.#handleDialback(received, now);
      case NS.bidi:
        return this.#handleBidi();
      case NS.management:
        return this.#handleManagement(received, now);
      default:
        return this.#handleStanza(received, now);
    }
  }

  #handleTls({ name }: XmlElement, now: Monotonic): void {
    const offered = this.#security === undefined && this.#terms !== undefined && usesTls(this.#terms);
    if (name !== 'starttls' || !offered || this.#wire.established) return this.#unexpected();
    this.#wire.sendElement(element(NS.tls, 'proceed'), now);
    this.#wire.act({ type: 'start-tls' });
    this.#wire.restart();
    this.#state = 'securing';
  }

  /** RFC 6120 §6.4.2 with XEP-0178 §3. */
  #handleSasl(received: XmlElement, now: Monotonic): void {
    const from = this.#from;
    if (received.name !== 'auth' || this.#identity !== undefined || from === undefined)
      return this.#unexpected();
    const allowed = this.#security !== undefined && this.#terms?.methods.includes('sasl-external') === true;
    if (!allowed || received.attributes.get('mechanism') !== 'EXTERNAL') {
      return this.#refuseSasl('invalid-mechanism', from, 'sasl-refused', now);
    }
    const wanted = decodeAuthorizationIdentity(textOf(received), from);
    if (wanted !== from) return this.#refuseSasl('invalid-authzid', from, 'sasl-identity-mismatch', now);
    if (this.#security?.asserts(from) !== true) {
      return this.#refuseSasl('not-authorized', from, 'certificate-not-accepted', now);
    }
    this.#identity = from;
    this.#wire.sendElement(element(NS.sasl, 'success'), now);
    this.#wire.restart();
    this.#state = 'header';
    this.#authorized({ from, to: this.#to ?? '' }, 'sasl-external', now);
  }
  #refuseSasl(condition: string, from: string, reason: StreamReason, now: Monotonic): void {
    this.#wire.sendElement(element(NS.sasl, 'failure', {}, [element(NS.sasl, condition)]), now);
    this.#wire.act({ type: 'refused', pair: { from, to: this.#to ?? '' }, reason });
    this.#wire.fail('not-authorized', reason, from);
  }

  #handleBidi(): void {
    if (this.#security === undefined || this.#wire.established) return this.#unexpected();
    this.#bidi = true;
  }

  #handleManagement(received: XmlElement, now: Monotonic): void {
    if (!this.#wire.established || !this.#channel.handleElement(received, now)) return this.#unexpected();
    if (this.#channel.enabled) this.#openBack();
  }
  #openBack(): void {
    const [peer, own] = [this.#from, this.#to];
    if (!this.#bidi || this.#back || this.closed || peer === undefined || own === undefined) return;
    this.#back = true;
    this.#wire.act({ type: 'authorized', pair: { from: own, to: peer }, by: 'bidi' });
  }

  #handleDialback(received: XmlElement, now: Monotonic): void {
    const from = domainAttribute(received, 'from');
    const to = domainAttribute(received, 'to');
    if (from === undefined || to === undefined) {
      return this.#wire.fail('improper-addressing', 'improper-addressing');
    }
    // An answer on a stream on which we never ask is nobody's (X4).
    if (received.attributes.has('type')) return this.#wire.fail('invalid-xml', 'dialback-uncorrelated');
    if (received.name === 'verify') return this.#answerVerify({ from, to }, received, now);
    if (received.name === 'result') return this.#handleResult({ from, to }, textOf(received).trim());
    this.#unexpected();
  }

  /** We are asked whether a key is ours (XEP-0220 §2.3): no memory is needed for the answer. */
  #answerVerify(pair: DomainPair, received: XmlElement, now: Monotonic): void {
    const { hosts, partner } = this.#options.policy;
    const id = received.attributes.get('id');
    if (id === undefined || !hosts(pair.to)) return this.#wire.fail('host-unknown', 'host-unknown', pair.to);
    if (partner(pair.from) === undefined)
      return this.#wire.fail('policy-violation', 'not-a-partner', pair.from);
    const subject = { receiving: pair.from, originating: pair.to, streamId: id };
    const { secret, otherSecrets = [] } = this.#options;
    const key = textOf(received).trim();
    const isOurs = [secret, ...otherSecrets].some((one) => isDialbackKey(one, subject, key));
    const type = isOurs ? 'valid' : 'invalid';
    this.#wire.sendElement(dialback('verify', { from: pair.to, to: pair.from }, { id, type }), now);
  }

  /** A domain is asserted (XEP-0220 §2.2, §2.4). */
  #handleResult(pair: DomainPair, key: string): void {
    const { policy, limits } = this.#options;
    if (!policy.hosts(pair.to)) return this.#wire.fail('host-unknown', 'host-unknown', pair.to);
    const terms = policy.partner(pair.from);
    if (terms === undefined) return this.#wire.fail('policy-violation', 'not-a-partner', pair.from);
    if (!this.#allowsDialback(terms)) return this.#wire.fail('not-authorized', 'no-method-left', pair.from);
    const name = pairKey(pair.from, pair.to);
    if (this.#pairs.has(name)) return this.#unexpected();
    if (this.#pairs.size >= limits.pairs) return this.#wire.fail('resource-constraint', 'too-many-pairs');
    this.#pairs.set(name, 'asked');
    this.#wire.act({ type: 'check-dialback', pair, key, streamId: this.#streamId });
  }

  #answerDialback(pair: DomainPair, valid: boolean | undefined, now: Monotonic): void {
    const key = pairKey(pair.from, pair.to);
    const back = { from: pair.to, to: pair.from };
    if (valid === true) {
      this.#pairs.set(key, 'proven');
      this.#wire.sendElement(dialback('result', back, { type: 'valid' }), now);
      this.#authorized(pair, 'dialback', now);
      return;
    }
    this.#pairs.delete(key);
    this.#wire.act({ type: 'refused', pair, reason: 'dialback-invalid' });
    const type = valid === false ? 'invalid' : 'error';
    this.#wire.sendElement(dialback('result', back, { type }), now);
    if (this.#wire.established) return;
    const condition = valid === false ? 'not-authorized' : 'remote-connection-failed';
    this.#wire.fail(condition, 'dialback-invalid', pair.from);
  }

  #authorized(pair: DomainPair, by: 'sasl-external' | 'dialback', now: Monotonic): void {
    this.#by ??= by;
    this.#proven ??= pair.from;
    this.#wire.establish(now);
    this.#wire.widen(this.#options.limits.partner);
    this.#wire.act({ type: 'authorized', pair, by });
  }

  /** RFC 6120 §8.1: addresses first, before anything else of a stanza is looked at (X8). */
  #handleStanza(received: XmlElement, now: Monotonic): void {
    if (!isStanza(received)) return this.#wire.fail('unsupported-stanza-type', 'unexpected-element');
    if (!this.#wire.established) return this.#wire.fail('not-authorized', 'not-authorized');
    const pair = pairOf(received);
    if (pair === undefined) return this.#wire.fail('improper-addressing', 'improper-addressing');
    if (!this.#isProven(pair)) return this.#wire.fail('invalid-from', 'from-not-authorized', pair.from);
    // Who begins with a stanza enables nothing first; some do so behind it.
    if (this.#offered !== undefined) this.#openBack();
    const number = this.#channel.arrive(now);
    this.#wire.act({ type: 'stanza', stanza: received, number, pair });
  }

  #isProven({ from, to }: DomainPair): boolean {
    if (this.#pairs.get(pairKey(from, to)) === 'proven') return true;
    return this.#identity === from && this.#options.policy.hosts(to);
  }

  #unexpected(): void {
    this.#wire.fail('policy-violation', 'unexpected-element');
  }
}

/** So long a peer has for enabling acknowledgements before what goes back on its stream goes without. */
const ENABLE_MS = 2000;

function startTlsFeature(required: boolean): XmlElement {
  return element(NS.tls, 'starttls', {}, required ? [element(NS.tls, 'required')] : []);
}

function dialbackFeature(): XmlElement {
  return element(NS.dialbackFeature, 'dialback', {}, [element(NS.dialbackFeature, 'errors')]);
}
