import type { Monotonic } from '#kernel';
import { child, element, type StreamRoot, textOf, type XmlElement } from '#protocols/xml';
import { dialbackKey } from '../dialback/key.ts';
import { NS } from '../namespaces.ts';
import { encodeAuthorizationIdentity } from '../sasl/external.ts';
import type { DomainPair, StreamAction } from './actions.ts';
import { dialback } from './dialback-elements.ts';
import type { StreamReason } from './drop.ts';
import { domainAttribute, isStanza, pairOf } from './stanza.ts';
import { StanzaChannel } from './stanza-channel.ts';
import { type PartnerTerms, type PeerSecurity, pairKey, type StreamSettings, usesTls } from './terms.ts';
import { rootProblem, StreamWire, speaksVersionOne } from './wire.ts';

export interface OutboundOptions extends StreamSettings {
  /** Our domain and the partner's. */
  readonly pair: DomainPair;
  readonly terms: PartnerTerms;
  /** `verify` only asks about dialback keys; it proves nothing about us and carries no stanza. */
  readonly purpose: 'stanzas' | 'verify';
  /** Whether the peer may send on this stream too, once its certificate was accepted (XEP-0288). */
  readonly bidirectional: boolean;
  /** Present when TLS came first (XEP-0368). */
  readonly security?: PeerSecurity;
}

type State = 'header' | 'features' | 'starting-tls' | 'securing' | 'sasl' | 'dialback' | 'enabling' | 'open';

interface Question {
  readonly pair: DomainPair;
  readonly streamId: string;
  readonly key: string;
}

/** A stream that we open to a partner: the initiating server of RFC 6120, and of XEP-0220. */
export class OutboundStream {
  readonly #options: OutboundOptions;
  readonly #wire: StreamWire;
  readonly #channel: StanzaChannel;
  #security: PeerSecurity | undefined;
  #state: State = 'header';
  #identified = false;
  #saslRefused = false;
  #bidi = false;
  #streamId = '';
  /** Put when the stream is open. */
  #questions: Question[] = [];
  readonly #asked = new Map<string, Question>();
  #by: 'sasl-external' | 'dialback' | undefined;

  constructor(options: OutboundOptions, now: Monotonic) {
    this.#options = options;
    this.#security = options.security;
    this.#wire = new StreamWire(this, options.times, options.limits.partner, now);
    this.#wire.keepAlive(options.terms.keepAlive !== false);
    this.#channel = new StanzaChannel(this.#wire, options.limits.unacknowledged);
  }

  get closed(): boolean {
    return this.#wire.closed;
  }
  get pair(): DomainPair {
    return this.#options.pair;
  }
  get purpose(): 'stanzas' | 'verify' {
    return this.#options.purpose;
  }
  /** As the peer gave it. */
  get streamId(): string {
    return this.#streamId;
  }
  /** Whether the peer acknowledges what it takes over (XEP-0198). */
  get managed(): boolean {
    return this.#channel.enabled;
  }
  /** Whether stanzas of the pair may be sent. */
  get ready(): boolean {
    return !this.closed && this.#by !== undefined && this.#state === 'open';
  }
  get provenBy(): 'sasl-external' | 'dialback' | undefined {
    return this.#by;
  }
  get secured(): boolean {
    return this.#security !== undefined;
  }
  get full(): boolean {
    return this.#channel.full;
  }
  get open(): number {
    return this.#channel.open;
  }

  start(now: Monotonic): StreamAction[] {
    this.#wire.sendHeader(this.#options.pair, now);
    return this.#wire.actions;
  }
  handleBytes(bytes: Uint8Array, now: Monotonic): StreamAction[] {
    if (this.#state !== 'securing') this.#wire.receive(bytes, now);
    return this.#wire.actions;
  }
  handleSecured(security: PeerSecurity, now: Monotonic): StreamAction[] {
    this.#security = security;
    this.#state = 'header';
    this.#wire.sendHeader(this.#options.pair, now);
    return this.#wire.actions;
  }
  /** Asks whether a key is the peer's (XEP-0220 §2.4); the answer is the action `verified`. */
  verify(pair: DomainPair, streamId: string, key: string, now: Monotonic): StreamAction[] {
    const question = { pair, streamId, key };
    if (this.#state === 'open') this.#put(question, now);
    else this.#questions.push(question);
    return this.#wire.actions;
  }
  /** Only when `ready`. */
  send(stanza: XmlElement, now: Monotonic): StreamAction[] {
    this.#channel.send(stanza, now);
    return this.#wire.actions;
  }
  handled(number: number, now: Monotonic): StreamAction[] {
    this.#channel.handled(number, now);
    return this.#wire.actions;
  }
  takeUnacknowledged(): XmlElement[] {
    return this.#channel.takeUnacknowledged();
  }
  /** @param paused nothing is read from the peer at present */
  handleTime(now: Monotonic, paused = false): StreamAction[] {
    this.#wire.handleTime(now, paused);
    return this.#wire.actions;
  }
  stop(reason: StreamReason): StreamAction[] {
    this.#wire.close(reason);
    return this.#wire.actions;
  }

  // The wire's user.

  handleRoot(root: StreamRoot, now: Monotonic): void {
    const problem = rootProblem(root);
    if (problem !== undefined) return this.#wire.fail(problem, 'header-invalid');
    const from = domainAttribute(root, 'from');
    if (from !== undefined && from !== this.#options.pair.to) {
      return this.#wire.fail('invalid-from', 'domain-changed', from);
    }
    this.#streamId = root.attributes.get('id') ?? '';
    if (speaksVersionOne(root)) {
      this.#state = 'features';
      return;
    }
    // Servers older than XMPP 1.0 send no features and know dialback alone.
    if (this.#security === undefined && this.#options.terms.methods.includes('tcp-dialback')) {
      this.#proveByDialback(now);
    } else this.#wire.fail('unsupported-version', 'version-unsupported');
  }

  handleElement(received: XmlElement, now: Monotonic): void {
    switch (received.namespace) {
      case NS.streams:
        if (received.name === 'features' && this.#state === 'features') this.#negotiate(received, now);
        else this.#unexpected();
        return;
      case NS.tls:
        return this.#handleTls(received);
      case NS.sasl:
        return this.#handleSasl(received, now);
      case NS.dialback:
        return this.#handleDialback(received, now);
      case NS.management:
        return this.#handleManagement(received, now);
      default:
        return this.#handleStanza(received, now);
    }
  }

  #negotiate(features: XmlElement, now: Monotonic): void {
    const { terms, purpose } = this.#options;
    if (this.#identified) return this.#open('sasl-external', features, now);
    if (this.#security === undefined) return this.#negotiateInClear(features, now);
    const believed = this.#isBelieved();
    // Dialback believes whoever DNS leads to, SASL only a certificate that speaks for the domain.
    if (!believed && !terms.methods.includes('tls-dialback')) {
      return this.#wire.fail('not-authorized', 'certificate-not-accepted', this.#options.pair.to);
    }
    if (purpose === 'verify') return this.#openForQuestions(now);
    const external = believed && terms.methods.includes('sasl-external') && offersExternal(features);
    if (believed && this.#options.bidirectional && child(features, 'bidi', NS.bidiFeature) !== undefined) {
      this.#wire.sendElement(element(NS.bidi, 'bidi'), now);
      this.#bidi = true;
    }
    if (external) this.#proveBySasl(now);
    else if (terms.methods.includes('tls-dialback')) this.#proveByDialback(now);
    else this.#refuse('no-method-left');
  }

  /** TLS wherever it can be had; without it only where the partner's entry says so (X7). */
  #negotiateInClear(features: XmlElement, now: Monotonic): void {
    const { terms, purpose } = this.#options;
    if (usesTls(terms) && child(features, 'starttls', NS.tls) !== undefined) {
      this.#wire.sendElement(element(NS.tls, 'starttls'), now);
      this.#state = 'starting-tls';
    } else if (!terms.methods.includes('tcp-dialback')) {
      this.#wire.fail('policy-violation', 'tls-not-offered');
    } else if (purpose === 'verify') this.#openForQuestions(now);
    else this.#proveByDialback(now);
  }

  #handleTls({ name }: XmlElement): void {
    if (this.#state !== 'starting-tls') return this.#unexpected();
    if (name !== 'proceed') return this.#wire.close('tls-refused');
    this.#wire.act({ type: 'start-tls' });
    this.#wire.restart();
    this.#state = 'securing';
  }

  #proveBySasl(now: Monotonic): void {
    const identity = encodeAuthorizationIdentity(this.#options.pair.from);
    this.#wire.sendElement(element(NS.sasl, 'auth', { mechanism: 'EXTERNAL' }, [identity]), now);
    this.#state = 'sasl';
  }
  #handleSasl({ name }: XmlElement, now: Monotonic): void {
    if (this.#state !== 'sasl') return this.#unexpected();
    if (name === 'success') {
      this.#identified = true;
      this.#wire.restart();
      this.#state = 'header';
      this.#wire.sendHeader(this.#options.pair, now);
    } else if (name === 'failure' && this.#options.terms.methods.includes('tls-dialback')) {
      this.#saslRefused = true;
      this.#proveByDialback(now);
    } else if (name === 'failure') this.#refuse('sasl-refused');
    else this.#unexpected();
  }
  /** Whether SASL was tried in vain before dialback. */
  get saslRefused(): boolean {
    return this.#saslRefused;
  }

  #proveByDialback(now: Monotonic): void {
    const { pair, purpose, secret } = this.#options;
    if (purpose === 'verify') return this.#openForQuestions(now);
    const subject = { receiving: pair.to, originating: pair.from, streamId: this.#streamId };
    this.#wire.sendElement(dialback('result', pair, { key: dialbackKey(secret, subject) }), now);
    this.#state = 'dialback';
  }

  #handleDialback(received: XmlElement, now: Monotonic): void {
    const from = domainAttribute(received, 'from');
    const to = domainAttribute(received, 'to');
    const type = received.attributes.get('type');
    if (from === undefined || to === undefined) {
      return this.#wire.fail('improper-addressing', 'improper-addressing');
    }
    // Whoever sends a key on a stream that it did not open wants more than it may (X4).
    if (type === undefined) return this.#unexpected();
    if (received.name === 'verify') return this.#handleVerified({ from: to, to: from }, received, now);
    const { pair } = this.#options;
    if (this.#state !== 'dialback' || from !== pair.to || to !== pair.from) {
      return this.#wire.fail('invalid-xml', 'dialback-uncorrelated');
    }
    if (type === 'valid') this.#open('dialback', undefined, now);
    else this.#refuse('dialback-invalid');
  }

  #handleVerified(asked: DomainPair, received: XmlElement, now: Monotonic): void {
    const id = received.attributes.get('id') ?? '';
    const name = questionKey(asked, id);
    const question = this.#asked.get(name);
    if (question === undefined) return this.#wire.fail('invalid-xml', 'dialback-uncorrelated');
    this.#asked.delete(name);
    const valid = received.attributes.get('type') === 'valid';
    this.#wire.stanzaPassed(now);
    this.#wire.act({ type: 'verified', pair: question.pair, streamId: question.streamId, valid });
  }

  /** `pair` of a question is that of the stream under test: from the partner to us. */
  #put(question: Question, now: Monotonic): void {
    const { pair, streamId, key } = question;
    const asked = { from: pair.to, to: pair.from };
    this.#asked.set(questionKey(asked, streamId), question);
    this.#wire.sendElement(dialback('verify', asked, { id: streamId, key }), now);
  }

  #openForQuestions(now: Monotonic): void {
    this.#state = 'open';
    this.#wire.establish(now);
    this.#putAll(now);
  }
  /** Stanzas wait until it is agreed whether they are counted, so that each one is. */
  #open(by: 'sasl-external' | 'dialback', features: XmlElement | undefined, now: Monotonic): void {
    this.#by = by;
    this.#wire.establish(now);
    if (features !== undefined && child(features, 'sm', NS.management) !== undefined) {
      this.#channel.enable(now);
      this.#state = 'enabling';
    } else this.#opened(by, now);
  }
  #handleManagement(received: XmlElement, now: Monotonic): void {
    const answers = received.name === 'enabled' || received.name === 'failed';
    const expected = this.#state === 'enabling' ? answers : this.#state === 'open' && !answers;
    if (!expected || !this.#channel.handleElement(received, now)) return this.#unexpected();
    if (this.#state === 'enabling' && this.#by !== undefined) this.#opened(this.#by, now);
  }
  #opened(by: 'sasl-external' | 'dialback', now: Monotonic): void {
    const { pair } = this.#options;
    this.#state = 'open';
    this.#wire.act({ type: 'authorized', pair, by });
    if (this.#bidi)
      this.#wire.act({ type: 'authorized', pair: { from: pair.to, to: pair.from }, by: 'bidi' });
    this.#putAll(now);
  }
  #putAll(now: Monotonic): void {
    const questions = this.#questions;
    this.#questions = [];
    for (const question of questions) this.#put(question, now);
  }

  #handleStanza(received: XmlElement, now: Monotonic): void {
    if (!isStanza(received)) return this.#wire.fail('unsupported-stanza-type', 'unexpected-element');
    if (!this.ready || !this.#bidi) return this.#wire.fail('not-authorized', 'not-authorized');
    const pair = pairOf(received);
    if (pair === undefined) return this.#wire.fail('improper-addressing', 'improper-addressing');
    const own = this.#options.pair;
    if (pair.from !== own.to || pair.to !== own.from) {
      return this.#wire.fail('invalid-from', 'from-not-authorized', pair.from);
    }
    const number = this.#channel.arrive(now);
    this.#wire.act({ type: 'stanza', stanza: received, number, pair });
  }

  #isBelieved(): boolean {
    return this.#security?.asserts(this.#options.pair.to) === true;
  }
  #refuse(reason: StreamReason): void {
    this.#wire.act({ type: 'refused', pair: this.#options.pair, reason });
    this.#wire.close(reason, this.#options.pair.to);
  }
  #unexpected(): void {
    this.#wire.fail('policy-violation', 'unexpected-element');
  }
}

function questionKey(pair: DomainPair, streamId: string): string {
  return `${pairKey(pair.from, pair.to)} ${streamId}`;
}

function offersExternal(features: XmlElement): boolean {
  const mechanisms = child(features, 'mechanisms', NS.sasl);
  if (mechanisms === undefined) return false;
  return mechanisms.children.some(
    (item) => typeof item !== 'string' && item.name === 'mechanism' && textOf(item).trim() === 'EXTERNAL',
  );
}
