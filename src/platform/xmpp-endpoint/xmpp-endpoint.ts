import type { Socket } from 'node:net';
import { type Cancel, randomToken } from '#kernel';
import { sourceKey } from '#platform/net';
import type { Trace } from '#platform/telemetry';
import type { XmlElement } from '#protocols/xml';
import { type DomainPair, InboundStream, OutboundStream, type StreamReason } from '#protocols/xmpp';
import { dialPartner } from './dial-partner.ts';
import { declareMeters, type Meters } from './meters.ts';
import type { EndpointContext, EndpointSettings, Undelivered } from './partner.ts';
import { type OwnerAction, PartnerStream, stateOf } from './partner-stream.ts';
import { Questions } from './questions.ts';
import { type Directed, ReturnPaths } from './return-paths.ts';
import { Route } from './route.ts';
import { StanzaEvents } from './stanza-events.ts';
import { type Stranger, Strangers } from './strangers.ts';
import { type TrialOutcome, tryPartner } from './trial.ts';
import { UpgradableSocket } from './upgradable-socket.ts';

const STREAM_ID_LENGTH = 26;
const TICK_MS = 1000;
/** Questions about dialback keys under way at a time. */
const QUESTIONS = 200;
/** Ends that are nothing to tell about. */
const ORDINARY: ReadonlySet<StreamReason> = new Set(['closed', 'connection-lost', 'inactive', 'shutdown']);

/** Streams with partners in both directions: who they are is proven here, what they may say is the user's to judge. */
export class XmppEndpoint {
  readonly #context: EndpointContext;
  readonly #meters: Meters;
  readonly #events: StanzaEvents;
  readonly #inbound = new Set<PartnerStream<InboundStream>>();
  readonly #outbound = new Set<PartnerStream<OutboundStream>>();
  readonly #routes = new Map<string, Route>();
  readonly #strangers = new Strangers();
  readonly #questions = new Questions(QUESTIONS);
  readonly #unproven = new Map<PartnerStream<InboundStream>, Stranger>();
  readonly #returns = new ReturnPaths(this.#inbound);
  #settings: EndpointSettings;
  #dialling = 0;
  #cancelTick: Cancel;
  #draining = false;
  #closed = false;

  constructor(context: EndpointContext, settings: EndpointSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#meters = declareMeters(context.metrics);
    this.#events = new StanzaEvents(context.events);
    this.#cancelTick = context.clock.after(TICK_MS, () => this.#tick());
  }

  /** Streams in both directions, those being dialled too. */
  get open(): number {
    return this.#inbound.size + this.#outbound.size + this.#dialling;
  }
  /** Stanzas in both directions that are not safe with the next one. */
  get pending(): number {
    let count = this.#returns.pending;
    for (const { core } of this.#inbound) count += core.open;
    for (const { core } of this.#outbound) count += core.open;
    for (const route of this.#routes.values()) count += route.waiting;
    return count;
  }
  /** What there is to say about each stream. */
  streams() {
    return [
      ...[...this.#inbound].map((stream) => stateOf('in', stream, stream.core.peer)),
      ...[...this.#outbound].map((stream) => stateOf('out', stream, stream.core.pair.to)),
    ];
  }
  configure(settings: EndpointSettings): void {
    this.#settings = settings;
    for (const route of this.#routes.values()) route.forgetFailure();
    for (const stream of [...this.#inbound]) {
      const { peer } = stream.core;
      if (peer !== undefined && settings.partner(peer) === undefined)
        stream.run(stream.core.stop('not-a-partner'));
    }
    for (const stream of [...this.#outbound]) {
      if (settings.partner(stream.core.pair.to) === undefined) stream.run(stream.core.stop('not-a-partner'));
    }
  }
  /** Takes no new streams; those on which nothing is under way are ended, so that partners come to another edge. */
  drain(): void {
    this.#draining = true;
    this.#leaveIdle();
  }
  undrain(): void {
    this.#draining = false;
  }
  close(): void {
    this.#cancelTick();
    this.#draining = true;
    this.#closed = true;
    for (const stream of [...this.#inbound]) stream.run(stream.core.stop('shutdown'));
    for (const stream of [...this.#outbound]) stream.run(stream.core.stop('shutdown'));
  }

  /** Takes over one accepted socket from which nothing has been read. */
  readonly accept = (raw: Socket): void => {
    const { connections, strangers, tls, stream: settings, hosts, partner } = this.#settings;
    raw.on('error', () => {});
    const stranger = {
      source: sourceKey(raw.remoteAddress ?? ''),
      claim: () => stream.core.peer,
      dismiss: () => {
        stream.run(stream.core.stop('made-room'));
        stream.socket.destroy();
      },
    };
    if (this.#draining || this.open >= connections || !this.#strangers.admit(stranger, strangers)) {
      this.#meters.refusedConnections.inc();
      this.#refusePlace(undefined, raw.remoteAddress ?? '', this.#draining ? 'draining' : 'connection');
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
      outboundBytes: this.#settings.outboundBytes,
      window: this.#settings.window,
      handleSecured: (shown) => this.#events.secured('in', stream.socket.remoteAddress, shown),
      handle: (action) => this.#handleInbound(stream, action),
    });
    this.#inbound.add(stream);
    this.#unproven.set(stream, stranger);
    // A place is taken until the socket is gone: one whose stream was refused may linger for a while.
    raw.once('close', () => this.#strangers.leave(stranger));
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
    this.#events.stanza('out', stanza, pair);
    this.#forward({ stanza, settled: told, attempts: 0, pair });
  }
  /** Whether there is a stream that carries stanzas of this pair. */
  carries(pair: DomainPair): boolean {
    const key = `${pair.from} ${pair.to}`;
    return this.#routes.get(key)?.stream?.core.ready === true || this.#returns.find(key, pair) !== undefined;
  }
  #forward(outgoing: Directed): void {
    const { pair } = outgoing;
    const now = this.#context.clock.now();
    const key = `${pair.from} ${pair.to}`;
    const known = this.#routes.get(key);
    const back = known?.isIdle(now) === false ? undefined : this.#returns.find(key, pair);
    if (back !== undefined) {
      this.#returns.send(back, outgoing, now);
      return;
    }
    const route = known ?? new Route(pair, this.#settings.waiting, () => void this.#openRoute(key));
    this.#routes.set(key, route);
    route.send(outgoing, now);
  }

  /** Opens a stream of its own to a partner and sends one stanza on it, telling every step; nothing else is changed. */
  trial(pair: DomainPair, stanza: XmlElement, trace: Trace): Promise<TrialOutcome> {
    const { clock } = this.#context;
    return tryPartner(
      { pair, stanza, trace, clock, patienceMs: this.#settings.stream.times.establishmentMs },
      (handle) => this.#dial(pair, 'stanzas', handle, trace),
    );
  }

  async #openRoute(key: string): Promise<void> {
    const route = this.#routes.get(key);
    if (route === undefined) return;
    const opened = await this.#dial(route.pair, 'stanzas', (action) =>
      route.handle(action, this.#context.clock.now()),
    );
    const now = this.#context.clock.now();
    if (typeof opened === 'string') route.fail(opened, now);
    else if (opened.ended) route.fail('remote-server-timeout', now);
    else route.use(opened);
  }

  async #dial(
    pair: DomainPair,
    purpose: 'stanzas' | 'verify',
    handle: (action: OwnerAction) => void,
    trace?: Trace,
  ): Promise<PartnerStream<OutboundStream> | Undelivered> {
    const { connections, stream: settings, outboundBytes, window, partner } = this.#settings;
    const entry = partner(pair.to);
    if (entry === undefined) return 'remote-server-not-found';
    if (this.#closed) return 'remote-server-timeout';
    if (this.open >= connections || this.#streamsTo(pair.to, purpose) >= entry.connections)
      return 'resource-constraint';
    this.#dialling += 1;
    const dialled = await dialPartner(this.#context, this.#settings, pair.to, entry, trace);
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
    // Nobody looks after a stream that begins when everything has ended.
    if (this.#closed) socket.destroy();
    if (this.#closed || socket.closed) return 'remote-server-timeout';
    const { clock } = this.#context;
    const core = new OutboundStream(
      { ...settings, pair, terms: entry, purpose, bidirectional: true },
      clock.now(),
    );
    // The peer chooses the id of the stream: neither its length nor that it is unique can be relied on.
    const streamId = `${randomToken(this.#context.random, STREAM_ID_LENGTH)}-back`;
    const stream: PartnerStream<OutboundStream> = new PartnerStream({
      socket,
      core,
      clock,
      servername: pair.to,
      outboundBytes,
      window,
      handleSecured: (shown) => this.#events.secured('out', stream.socket.remoteAddress, shown),
      handle: (action) => {
        if (action.type === 'stanza') this.#arrive(stream, action, streamId);
        else if (action.type === 'authorized' && action.by !== 'bidi') this.#opened(stream);
        else if (action.type === 'close') this.#outboundEnded(stream, action);
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
        this.#returns.forget();
        if (action.by === 'bidi') return this.#context.user.handleStream(action.pair.to, 'open');
        this.#proven(stream);
        if (stream.core.carries({ from: action.pair.to, to: action.pair.from }))
          this.#context.user.handleStream(action.pair.from, 'open');
        this.#limitPartner(stream);
        return;
      case 'acknowledged':
        this.#returns.acknowledged(stream, action.stanzas.length);
        return;
      case 'close':
        this.#inbound.delete(stream);
        this.#unproven.delete(stream);
        this.#sendAgain(stream);
        this.#lost(stream, stream.core.peer, action.reason);
        this.#tell('in', stream, stream.core.peer, action);
        return;
      case 'refused':
      case 'verified':
      case 'draining':
      case 'partner-stream':
      case 'held':
      case 'passed':
        return;
    }
  }
  #opened({ core }: PartnerStream<OutboundStream>): void {
    if (core.purpose === 'stanzas') this.#context.user.handleStream(core.pair.to, 'open');
  }
  #outboundEnded(stream: PartnerStream<OutboundStream>, action: OwnerAction & { type: 'close' }): void {
    this.#outbound.delete(stream);
    this.#lost(stream, stream.core.pair.to, action.reason);
    this.#tell('out', stream, stream.core.pair.to, action);
  }

  #refusePlace(peer: string | undefined, address: string, detail: string): void {
    this.#context.user.handleNotice({ direction: 'in', peer, address, reason: 'no-place', detail });
  }
  #lost(stream: PartnerStream, peer: string | undefined, reason: StreamReason): void {
    if (peer !== undefined && stream.mayHaveLost(reason)) this.#context.user.handleStream(peer, 'broken');
  }

  #arrive(stream: PartnerStream, action: OwnerAction & { type: 'stanza' }, streamId: string): void {
    this.#meters.stanzas.inc('in');
    const { stanza, pair, number } = action;
    this.#events.stanza('in', stanza, pair, stream.socket.remoteAddress);
    this.#context.user.handleArrival({ stanza, pair, streamId, number, done: () => stream.handled(number) });
  }

  #proven(stream: PartnerStream<InboundStream>): void {
    const stranger = this.#unproven.get(stream);
    if (stranger !== undefined) this.#strangers.leave(stranger);
    this.#unproven.delete(stream);
  }
  /** What a partner did not take over on a stream of its own, and what may be said twice, goes out on another. */
  #sendAgain(stream: PartnerStream<InboundStream>): void {
    this.#returns.forget();
    for (const outgoing of this.#returns.ended(stream, !this.#closed)) this.#forward(outgoing);
  }

  /** Only streams that have proven a domain count: whoever just claims a partner's must not take its places. */
  #limitPartner(stream: PartnerStream<InboundStream>): void {
    const { peer } = stream.core;
    const entry = peer === undefined ? undefined : this.#settings.partner(peer);
    if (entry === undefined) return;
    const same = [...this.#inbound].filter(
      ({ core: { peer: other, provenBy } }) =>
        provenBy !== undefined && other !== undefined && this.#settings.partner(other)?.name === entry.name,
    );
    if (same.length > entry.connections) stream.run(stream.core.stop('too-many-streams'));
  }
  /** Counted apart by purpose: strangers can make us ask about keys, and must not take the place of stanzas. */
  #streamsTo(domain: string, purpose: 'stanzas' | 'verify'): number {
    const name = this.#settings.partner(domain)?.name;
    let count = 0;
    for (const { core } of this.#outbound) {
      if (core.purpose === purpose && this.#settings.partner(core.pair.to)?.name === name) count += 1;
    }
    return count;
  }

  /** XEP-0220 §2.4: the question goes to the server that the DNS names for the domain, never back to who asserts it. */
  async #checkDialback(
    stream: PartnerStream<InboundStream>,
    { pair, key, streamId }: OwnerAction & { type: 'check-dialback' },
  ): Promise<void> {
    const entry = this.#settings.partner(pair.from);
    const question = { source: sourceKey(stream.socket.remoteAddress), partner: entry?.name ?? pair.from };
    const admitted = this.#questions.admit(question, entry?.connections ?? 0);
    if (!admitted) {
      this.#meters.refusedQuestions.inc();
      this.#refusePlace(pair.from, stream.socket.remoteAddress, 'question about a dialback key');
    }
    const valid = admitted ? await this.#ask(pair, streamId, key) : undefined;
    this.#questions.leave(question);
    if (stream.ended) return;
    stream.run(stream.core.handleDialbackChecked(pair, streamId, valid, this.#context.clock.now()));
  }
  async #ask(pair: DomainPair, streamId: string, key: string): Promise<boolean | undefined> {
    const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
    const back = { from: pair.to, to: pair.from };
    const asking = await this.#dial(back, 'verify', (action) => {
      if (action.type === 'verified' && action.streamId === streamId) resolve(action.valid);
      else if (action.type === 'close') resolve(undefined);
    });
    let valid: boolean | undefined;
    if (typeof asking !== 'string' && !asking.ended) {
      const late = this.#settings.stream.times.establishmentMs;
      const cancel = this.#context.clock.after(late, () => resolve(undefined));
      asking.run(asking.core.verify(pair, streamId, key, this.#context.clock.now()));
      valid = await promise;
      cancel();
      if (!asking.ended) asking.run(asking.core.stop('closed'));
    }
    return valid;
  }

  #tell(
    direction: 'in' | 'out',
    stream: PartnerStream,
    peer: string | undefined,
    { reason, detail }: OwnerAction & { type: 'close' },
  ): void {
    this.#meters.ends.inc(reason);
    const problem = stream.shown?.problem;
    const said = [detail, problem === undefined ? undefined : `certificate: ${problem}`]
      .filter(Boolean)
      .join('; ');
    const address = stream.socket.remoteAddress;
    this.#events.ended(direction, peer, address, reason, said);
    if (ORDINARY.has(reason)) return;
    this.#context.user.handleNotice({
      direction,
      peer,
      address,
      reason,
      detail: said === '' ? undefined : said,
    });
  }

  #leaveIdle(): void {
    for (const stream of [...this.#inbound]) {
      if (stream.core.open === 0 && !this.#returns.isBusy(stream)) stream.run(stream.core.stop('shutdown'));
    }
    const busy = new Set<unknown>();
    for (const route of this.#routes.values()) if (route.waiting > 0) busy.add(route.stream);
    for (const stream of [...this.#outbound]) {
      if (stream.core.purpose === 'stanzas' && stream.core.ready && !busy.has(stream))
        stream.run(stream.core.stop('shutdown'));
    }
  }
  #tick(): void {
    for (const stream of [...this.#inbound]) stream.handleTime();
    for (const stream of [...this.#outbound]) stream.handleTime();
    const now = this.#context.clock.now();
    for (const [key, route] of this.#routes) if (route.isIdle(now)) this.#routes.delete(key);
    if (this.#draining) this.#leaveIdle();
    this.#cancelTick = this.#context.clock.after(TICK_MS, () => this.#tick());
  }
}
