import type { Socket } from 'node:net';
import { type Cancel, randomToken } from '#kernel';
import {
  type DomainPair,
  InboundStream,
  OutboundStream,
  type StreamReason,
  type XmlElement,
} from '#protocols/xmpp';
import { dialPartner } from './dial-partner.ts';
import { declareMeters, type Meters } from './meters.ts';
import type { EndpointContext, EndpointSettings, Undelivered } from './partner.ts';
import { type OwnerAction, PartnerStream } from './partner-stream.ts';
import { Route } from './route.ts';
import { UpgradableSocket } from './upgradable-socket.ts';

const STREAM_ID_LENGTH = 26;
const TICK_MS = 1000;
/** Questions about dialback keys under way at a time. */
const QUESTIONS = 200;
/** Ends that are nothing to tell about. */
const ORDINARY: ReadonlySet<StreamReason> = new Set(['closed', 'inactive', 'shutdown']);

/** Streams with partners in both directions: who they are is proven here, what they may say is the user's to judge. */
export class XmppEndpoint {
  readonly #context: EndpointContext;
  readonly #meters: Meters;
  readonly #inbound = new Set<PartnerStream<InboundStream>>();
  readonly #outbound = new Set<PartnerStream<OutboundStream>>();
  readonly #routes = new Map<string, Route>();
  #settings: EndpointSettings;
  #questions = 0;
  #dialling = 0;
  #cancelTick: Cancel;
  #draining = false;

  constructor(context: EndpointContext, settings: EndpointSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#meters = declareMeters(context.metrics);
    this.#cancelTick = context.clock.after(TICK_MS, () => this.#tick());
  }

  /** Streams in both directions, those being dialled too. */
  get open(): number {
    return this.#inbound.size + this.#outbound.size + this.#dialling;
  }
  /** What there is to say about each stream. */
  streams() {
    const describe = (direction: 'in' | 'out', stream: PartnerStream, peer: string | undefined) => ({
      direction,
      peer: peer ?? '',
      address: stream.socket.remoteAddress,
      tls: stream.shown?.protocol ?? 'none',
      waiting: stream.core.open,
    });
    return [
      ...[...this.#inbound].map((stream) => describe('in', stream, stream.core.peer)),
      ...[...this.#outbound].map((stream) => describe('out', stream, stream.core.pair.to)),
    ];
  }
  configure(settings: EndpointSettings): void {
    this.#settings = settings;
    for (const stream of [...this.#inbound]) {
      const { peer } = stream.core;
      if (peer !== undefined && settings.partner(peer) === undefined)
        stream.run(stream.core.stop('not-a-partner'));
    }
    for (const stream of [...this.#outbound]) {
      if (settings.partner(stream.core.pair.to) === undefined) stream.run(stream.core.stop('not-a-partner'));
    }
  }
  drain(): void {
    this.#draining = true;
  }
  undrain(): void {
    this.#draining = false;
  }
  close(): void {
    this.#cancelTick();
    this.#draining = true;
    for (const stream of [...this.#inbound]) stream.run(stream.core.stop('shutdown'));
    for (const stream of [...this.#outbound]) stream.run(stream.core.stop('shutdown'));
  }

  /** Takes over one accepted socket from which nothing has been read. */
  readonly accept = (raw: Socket): void => {
    const { connections, tls, stream: settings, hosts, partner, outboundBytes, window } = this.#settings;
    if (this.#draining || this.open >= connections) {
      this.#meters.refusedConnections.inc();
      raw.on('error', () => {});
      raw.destroy();
      return;
    }
    const { clock, random } = this.#context;
    const streamId = () => randomToken(random, STREAM_ID_LENGTH);
    const core = new InboundStream({ ...settings, policy: { hosts, partner }, streamId }, clock.now());
    const stream: PartnerStream<InboundStream> = new PartnerStream({
      socket: new UpgradableSocket(raw, tls),
      core,
      clock,
      servername: undefined,
      outboundBytes,
      window,
      handle: (action) => this.#handleInbound(stream, action),
    });
    this.#inbound.add(stream);
    this.#meters.streams.inc('in');
    stream.socket.listen((shown) => stream.secured(shown));
  };

  /** Sends a stanza to a partner; `settled` is called once. */
  send(stanza: XmlElement, pair: DomainPair, settled: (failed: Undelivered | undefined) => void): void {
    const told = (failed: Undelivered | undefined) => {
      if (failed === undefined) this.#meters.stanzas.inc('out');
      else this.#meters.undeliverable.inc();
      settled(failed);
    };
    const key = `${pair.from} ${pair.to}`;
    const known = this.#routes.get(key);
    const back = known?.idle === false ? undefined : this.#bidirectional(pair);
    if (back !== undefined) {
      back.run(back.core.send(stanza, this.#context.clock.now()));
      told(undefined);
      return;
    }
    const route = known ?? new Route(pair, this.#settings.waiting, () => void this.#openRoute(key));
    this.#routes.set(key, route);
    route.send({ stanza, settled: told, attempts: 0 }, this.#context.clock.now());
  }
  #bidirectional(pair: DomainPair): PartnerStream<InboundStream> | undefined {
    for (const stream of this.#inbound) if (!stream.ended && stream.core.carries(pair)) return stream;
    return undefined;
  }

  async #openRoute(key: string): Promise<void> {
    const route = this.#routes.get(key);
    if (route === undefined) return;
    const opened = await this.#dial(route.pair, 'stanzas', (action) =>
      route.handle(action, this.#context.clock.now()),
    );
    if (typeof opened === 'string') route.fail(opened);
    else if (opened.ended) route.fail('remote-server-timeout');
    else route.use(opened);
  }

  async #dial(
    pair: DomainPair,
    purpose: 'stanzas' | 'verify',
    handle: (action: OwnerAction) => void,
  ): Promise<PartnerStream<OutboundStream> | Undelivered> {
    const { connections, stream: settings, outboundBytes, window, partner } = this.#settings;
    const entry = partner(pair.to);
    if (entry === undefined) return 'remote-server-not-found';
    if (this.open >= connections || this.#streamsTo(pair.to) >= entry.connections)
      return 'resource-constraint';
    this.#dialling += 1;
    const dialled = await dialPartner(this.#context, this.#settings, pair.to, entry);
    this.#dialling -= 1;
    if (!dialled.ok) {
      this.#context.user.handleNotice({
        direction: 'out',
        peer: pair.to,
        address: '',
        reason: 'closed',
        detail: dialled.error.message,
      });
      return 'remote-server-not-found';
    }
    const { socket, direct } = dialled.value;
    const { clock } = this.#context;
    const core = new OutboundStream(
      { ...settings, pair, terms: entry, purpose, bidirectional: true },
      clock.now(),
    );
    const stream: PartnerStream<OutboundStream> = new PartnerStream({
      socket,
      core,
      clock,
      servername: pair.to,
      outboundBytes,
      window,
      handle: (action) => {
        this.#handleOutbound(stream, action);
        handle(action);
      },
    });
    this.#outbound.add(stream);
    this.#meters.streams.inc('out');
    if (direct) socket.secure('client', pair.to, (shown) => stream.secured(shown));
    else {
      socket.read();
      stream.run(core.start(clock.now()));
    }
    return stream;
  }

  #handleInbound(stream: PartnerStream<InboundStream>, action: OwnerAction): void {
    switch (action.type) {
      case 'stanza':
        this.#arrive(stream, action, stream.core.streamId);
        return;
      case 'check-dialback':
        void this.#checkDialback(stream, action);
        return;
      case 'authorized':
        this.#limitPartner(stream);
        return;
      case 'close':
        this.#inbound.delete(stream);
        this.#tell('in', stream, stream.core.peer, action);
        return;
      case 'refused':
      case 'verified':
      case 'acknowledged':
        return;
    }
  }
  #handleOutbound(stream: PartnerStream<OutboundStream>, action: OwnerAction): void {
    if (action.type === 'stanza') this.#arrive(stream, action, `${stream.core.streamId}-back`);
    if (action.type !== 'close') return;
    this.#outbound.delete(stream);
    this.#tell('out', stream, stream.core.pair.to, action);
  }

  #arrive(stream: PartnerStream, action: OwnerAction & { type: 'stanza' }, streamId: string): void {
    this.#meters.stanzas.inc('in');
    const { stanza, pair, number } = action;
    this.#context.user.handleArrival({ stanza, pair, streamId, number, done: () => stream.handled(number) });
  }

  #limitPartner(stream: PartnerStream<InboundStream>): void {
    const { peer } = stream.core;
    const entry = peer === undefined ? undefined : this.#settings.partner(peer);
    if (entry === undefined) return;
    const same = [...this.#inbound].filter(
      (other) =>
        other.core.peer !== undefined && this.#settings.partner(other.core.peer)?.name === entry.name,
    );
    if (same.length > entry.connections) stream.run(stream.core.stop('too-many-streams'));
  }
  #streamsTo(domain: string): number {
    const name = this.#settings.partner(domain)?.name;
    let count = 0;
    for (const { core } of this.#outbound)
      if (this.#settings.partner(core.pair.to)?.name === name) count += 1;
    return count;
  }

  /** XEP-0220 §2.4: the question goes to the server that the DNS names for the domain, never back to who asserts it. */
  async #checkDialback(
    stream: PartnerStream<InboundStream>,
    { pair, key, streamId }: OwnerAction & { type: 'check-dialback' },
  ): Promise<void> {
    const valid = this.#questions < QUESTIONS ? await this.#ask(pair, streamId, key) : undefined;
    if (stream.ended) return;
    stream.run(stream.core.handleDialbackChecked(pair, streamId, valid, this.#context.clock.now()));
  }
  async #ask(pair: DomainPair, streamId: string, key: string): Promise<boolean | undefined> {
    this.#questions += 1;
    const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
    const back = { from: pair.to, to: pair.from };
    const asking = await this.#dial(back, 'verify', (action) => {
      if (action.type === 'verified' && action.streamId === streamId) resolve(action.valid);
      else if (action.type === 'close') resolve(undefined);
    });
    let valid: boolean | undefined;
    if (typeof asking !== 'string' && !asking.ended) {
      asking.run(asking.core.verify(pair, streamId, key, this.#context.clock.now()));
      valid = await promise;
      if (!asking.ended) asking.run(asking.core.stop('closed'));
    }
    this.#questions -= 1;
    return valid;
  }

  #tell(
    direction: 'in' | 'out',
    stream: PartnerStream,
    peer: string | undefined,
    { reason, detail }: OwnerAction & { type: 'close' },
  ): void {
    this.#meters.ends.inc(reason);
    if (ORDINARY.has(reason)) return;
    const problem = stream.shown?.problem;
    const said = [detail, problem === undefined ? undefined : `certificate: ${problem}`]
      .filter(Boolean)
      .join('; ');
    const address = stream.socket.remoteAddress;
    this.#context.user.handleNotice({
      direction,
      peer,
      address,
      reason,
      detail: said === '' ? undefined : said,
    });
  }

  #tick(): void {
    for (const stream of [...this.#inbound]) stream.handleTime();
    for (const stream of [...this.#outbound]) stream.handleTime();
    for (const [key, route] of this.#routes) if (route.idle) this.#routes.delete(key);
    this.#cancelTick = this.#context.clock.after(TICK_MS, () => this.#tick());
  }
}
