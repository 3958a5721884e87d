import type { Monotonic } from '#kernel';
import { child, element, type StreamRoot, type XmlElement, type XmlLimits } from '#protocols/xml';
import { parseJid } from '../jid.ts';
import { NS } from '../namespaces.ts';
import { type PartnerStreamState, partnerStreamStates, type StreamAction } from '../stream/actions.ts';
import type { StreamReason } from '../stream/drop.ts';
import { isStanza, pairOf } from '../stream/stanza.ts';
import { StanzaChannel } from '../stream/stanza-channel.ts';
import { rootProblem, type StreamTimes, StreamWire, speaksVersionOne } from '../stream/wire.ts';

export interface LinkOptions {
  /** The gateway dials; the proxy is dialled. */
  readonly role: 'gateway' | 'proxy';
  /** Host name of this end, as its certificate has it. */
  readonly own: string;
  /** Host names that the peer may have; mutual TLS has found them in its certificate already. */
  readonly peers: readonly string[];
  /** Unguessable; the proxy's. */
  readonly streamId: string;
  readonly times: StreamTimes;
  readonly limits: XmlLimits;
  /** Stanzas sent and not acknowledged. */
  readonly unacknowledged: number;
  /** Whether a stanza with these domains may come from the peer. */
  readonly accepts: (from: string, to: string) => boolean;
}

/** The link between XMPP proxy and XMPP gateway (port row int-01): docs/protocols/xmpp-link.md. */
export class LinkStream {
  readonly #options: LinkOptions;
  readonly #wire: StreamWire;
  readonly #channel: StanzaChannel;
  #state: 'header' | 'features' | 'enabling' | 'open' = 'header';
  #peer: string;

  constructor(options: LinkOptions, now: Monotonic) {
    this.#options = options;
    this.#peer = options.peers[0] ?? '';
    this.#wire = new StreamWire(this, options.times, options.limits, now);
    this.#channel = new StanzaChannel(this.#wire, options.unacknowledged);
  }

  get closed(): boolean {
    return this.#wire.closed;
  }
  /** Stanzas may be sent. */
  get ready(): boolean {
    return this.#state === 'open' && !this.closed;
  }
  /** So many stanzas wait for their acknowledgement that no more should be sent. */
  get full(): boolean {
    return this.#channel.full;
  }
  /** The name by which the peer goes; the first of those allowed until it has said one. */
  get peer(): string {
    return this.#peer;
  }
  /** Stanzas that arrived and are not safe with the next one. */
  get open(): number {
    return this.#channel.open;
  }
  start(now: Monotonic): StreamAction[] {
    if (this.#options.role === 'gateway') this.#sendHeader(now);
    return this.#wire.actions;
  }
  handleBytes(bytes: Uint8Array, now: Monotonic): StreamAction[] {
    this.#wire.receive(bytes, now);
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
  /** The proxy asks for other edges to be used; what comes nevertheless is taken. Only when `ready`. */
  drain(now: Monotonic): StreamAction[] {
    this.#wire.sendElement(element(NS.link, 'draining'), now);
    return this.#wire.actions;
  }
  /** The proxy says what became of its streams with a partner. Only when `ready`. */
  tellPartner(domain: string, stream: PartnerStreamState, now: Monotonic): StreamAction[] {
    this.#wire.sendElement(element(NS.link, 'partner', { domain, stream }), now);
    return this.#wire.actions;
  }
  /** As `handled`, with the word that the stanza is not with its partner yet; `passed` follows. The proxy's. */
  hold(number: number, now: Monotonic): StreamAction[] {
    this.#wire.sendElement(element(NS.link, 'held', { number: String(number) }), now);
    return this.handled(number, now);
  }
  /** What became of a stanza that was held is known. Only when `ready`. */
  passed(number: number, now: Monotonic): StreamAction[] {
    this.#wire.sendElement(element(NS.link, 'passed', { number: String(number) }), now);
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
    if (!speaksVersionOne(root)) return this.#wire.fail('unsupported-version', 'version-unsupported');
    const { own, peers, role } = this.#options;
    const { attributes } = root;
    const from = attributes.get('from') ?? '';
    if (!peers.includes(from) || attributes.get('to') !== own) {
      return this.#wire.fail(
        'improper-addressing',
        'improper-addressing',
        `${from} to ${attributes.get('to')}`,
      );
    }
    this.#peer = from;
    if (role === 'gateway') {
      this.#state = 'features';
      return;
    }
    this.#sendHeader(now);
    this.#wire.sendFeatures([element(NS.management, 'sm', {}, [element(NS.management, 'required')])], now);
    this.#state = 'enabling';
  }

  handleElement(received: XmlElement, now: Monotonic): void {
    if (received.namespace === NS.management) return this.#handleManagement(received, now);
    if (received.namespace === NS.streams) return this.#handleFeatures(received, now);
    if (received.namespace === NS.link) return this.#handleOwn(received);
    if (!isStanza(received)) return this.#wire.fail('unsupported-stanza-type', 'unexpected-element');
    if (!this.ready) return this.#wire.fail('not-authorized', 'not-authorized');
    const pair = pairOf(received);
    if (pair === undefined) return this.#wire.fail('improper-addressing', 'improper-addressing');
    if (!this.#options.accepts(pair.from, pair.to)) {
      return this.#wire.fail('invalid-from', 'from-not-authorized', `${pair.from} to ${pair.to}`);
    }
    const number = this.#channel.arrive(now);
    this.#wire.act({ type: 'stanza', stanza: received, number, pair });
  }

  #handleFeatures(received: XmlElement, now: Monotonic): void {
    const offered = child(received, 'sm', NS.management) !== undefined;
    if (this.#state !== 'features' || received.name !== 'features' || !offered) return this.#unexpected();
    this.#channel.enable(now);
    this.#state = 'enabling';
  }

  /** The gateway enables once, the proxy confirms once; from then on every stanza counts in both directions. */
  #handleManagement(received: XmlElement, now: Monotonic): void {
    if (this.#state === 'enabling') {
      const expected = this.#options.role === 'gateway' ? 'enabled' : 'enable';
      if (received.name !== expected || !this.#channel.handleElement(received, now))
        return this.#unexpected();
      this.#state = 'open';
      this.#wire.establish(now);
      this.#wire.act({
        type: 'authorized',
        pair: { from: this.#peer, to: this.#options.own },
        by: 'sasl-external',
      });
      return;
    }
    const counted = received.name === 'r' || received.name === 'a';
    if (!this.ready || !counted || !this.#channel.handleElement(received, now)) this.#unexpected();
  }

  /** What a later version of the proxy may say is passed over. */
  #handleOwn({ name, attributes }: XmlElement): void {
    if (this.#options.role !== 'gateway' || !this.ready) return this.#unexpected();
    if (name === 'draining') this.#wire.act({ type: 'draining' });
    if (name === 'partner') this.#handlePartner(attributes);
    if (name !== 'held' && name !== 'passed') return;
    const digits = attributes.get('number') ?? '';
    if (!/^\d{1,15}$/.test(digits)) return this.#unexpected();
    this.#wire.act({ type: name, number: Number(digits) });
  }
  #handlePartner(attributes: ReadonlyMap<string, string>): void {
    const domain = parseJid(attributes.get('domain') ?? '')?.domain;
    const state = partnerStreamStates.find((known) => known === attributes.get('stream'));
    if (domain === undefined || state === undefined) return this.#unexpected();
    this.#wire.act({ type: 'partner-stream', domain, state });
  }

  #sendHeader(now: Monotonic): void {
    const { own, role, streamId } = this.#options;
    this.#wire.sendHeader({ from: own, to: this.#peer, ...(role === 'proxy' ? { id: streamId } : {}) }, now);
  }
  #unexpected(): void {
    this.#wire.fail('policy-violation', 'unexpected-element');
  }
}
