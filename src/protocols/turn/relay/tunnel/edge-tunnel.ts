import { err, type Monotonic, ok, type Random, type Result } from '#kernel';
import {
  decodeEdgeAnswer,
  decodeEdgeQuestion,
  EDGE_COOKIE_BYTES,
  EDGE_VERSION,
  encodeEdgeAnswer,
  encodeEdgeQuestion,
  MessageClass,
  Method,
  type StunMessage,
  StunWriter,
  sameOctets,
  type TransportAddress,
} from '#protocols/stun';
import { mayAnswer } from '../answers.ts';
import type { TurnDrop } from '../drops.ts';
import { acceptConnection, endConnection, finishConnect, type PeerConnection } from '../peer-connections.ts';
import type { Relay } from '../relay.ts';
import type { RelayState } from '../relay-state.ts';
import type { TurnListener } from '../turn-listener.ts';
import type { TurnRequest } from '../turn-request.ts';
import {
  ANSWER_MS,
  ASK_AGAIN_MS,
  PATIENCE_MS,
  type PartnerEdge,
  PartnerEdges,
  RETRY_MS,
  SILENCE_MS,
} from './partner-edges.ts';
import { TunnelCookies } from './tunnel-cookies.ts';
import { decodeTunnel, encodeTunnelHeader, encodeTunnelReject, tunnelHeaderBytes } from './tunnel-frame.ts';
import { portToEdge } from './tunnel-ports.ts';
import {
  decodeTunnelAnswer,
  decodeTunnelOpening,
  encodeTunnelAnswer,
  encodeTunnelOpening,
} from './tunnel-stream.ts';

const QUESTION_ROOM = 128;
const TRANSACTION_ID_BYTES = 12;

const writer = new StunWriter();

export interface TunnelSettings {
  /** UDP port of the A/V Edge service of every partner. */
  readonly port: number;
  /** Its TCP port. */
  readonly streamPort: number;
  /**
   * Whether data wait for the answer to the first question, since nothing may leave from the relay range meanwhile.
   * Otherwise they leave from there until the answer has come.
   */
  readonly hold: boolean;
  /** Addresses that are reached without the tunnel: those of the pool's own edges. */
  readonly without: readonly string[];
}

/** A connection from another edge, if it is taken, and what is said to it. */
export interface OpenedStream {
  readonly connection: PeerConnection | undefined;
  readonly answer: Uint8Array;
}

const NO_COOKIE = new Uint8Array(0);

/** Hands tunnelled data to the allocation that they are for, as though they came from `source`. */
export type DeliverTunnelled = (
  relay: Relay,
  address: string,
  port: number,
  bytes: Uint8Array,
  start: number,
  now: Monotonic,
) => void;

/**
 * Data from a relayed address here to one of another edge, 3478 to 3478, so that the relay range stays closed (port
 * row ext-13, docs/protocols/edge-tunnel.md). Off until it has settings: then nobody is asked, answered or believed.
 */
export class EdgeTunnel {
  settings: TunnelSettings | undefined;
  /** Where questions and data leave from: the UDP listeners outside. */
  listeners: readonly TurnListener[] = [];
  /** Datagrams sent through tunnels, and received through them. */
  sent = 0;
  received = 0;
  readonly #random: Random;
  readonly #cookies: TunnelCookies;
  readonly #partners = new PartnerEdges();

  constructor(random: Random) {
    this.#random = random;
    this.#cookies = new TunnelCookies(random.bytes(32));
  }

  /** Takes other settings; null turns it off. */
  configure(settings: TunnelSettings | null): void {
    const stays = settings !== null && settings.port === this.settings?.port;
    if (!stays) this.#partners.clear();
    this.settings = settings ?? undefined;
  }

  /**
   * Data for a peer outside. True when the tunnel took them (sent, held or lost), false when they have to leave from
   * the relayed address itself, as to any plain peer.
   */
  route(
    state: RelayState,
    relay: Relay,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    now: Monotonic,
  ): boolean {
    if (relay.transport !== 'udp') return false;
    const known = this.#lookUp(state, relay, address, now);
    if (known === undefined) return false;
    const { partner, listener } = known;
    if (partner.isEdge(now)) {
      this.#send(state, partner, listener, relay, port, bytes, start, end);
      return true;
    }
    if (this.settings?.hold !== true) return false;
    const copy = new Uint8Array(bytes.subarray(start, end));
    if (!partner.hold({ relay, port, bytes: copy })) state.drop('tunnel-held-too-much');
    return true;
  }

  /**
   * Makes a connection to a peer outside: through the tunnel to an edge, else from the relayed address itself. It waits
   * for the answer whatever the other profiles are, since it cannot change its way later.
   */
  connect(state: RelayState, connection: PeerConnection, now: Monotonic): void {
    const known = this.#lookUp(state, connection.relay, connection.address, now);
    if (known === undefined) state.sink.connectPeer(connection);
    else if (known.partner.isEdge(now)) this.#dial(state, known.partner, connection, now);
    else if (!known.partner.holdConnection(connection)) endConnection(state, connection, now);
  }

  /**
   * What the partner's edge said to a connection that we opened.
   * @returns whether the stream goes on; if not, the adapter closes it, and the connection has ended or is made anew
   */
  handleStreamAnswer(
    state: RelayState,
    connection: PeerConnection,
    bytes: Uint8Array,
    now: Monotonic,
  ): boolean {
    const decoded = decodeTunnelAnswer(bytes);
    const partner = this.#partners.find(connection.address);
    const isOurs =
      decoded.ok &&
      connection.state === 'connecting' &&
      sameOctets(decoded.value.cookie, connection.tunnelCookie ?? NO_COOKIE);
    if (isOurs && decoded.value.answer === 'accepted') {
      finishConnect(state, connection, now);
      return true;
    }
    if (!isOurs || partner === undefined || connection.askedAgain) endConnection(state, connection, now);
    else {
      connection.askedAgain = true;
      this.#handleReject(connection.address, this.settings?.port ?? 0, decoded.value.cookie);
      this.connect(state, connection, now);
    }
    return false;
  }

  /**
   * The first octets of a connection from another edge, which name one of our relayed addresses.
   * @returns the connection and what to say, or what to say before it is closed, or why nothing is said
   */
  handleOpening(
    state: RelayState,
    address: string,
    bytes: Uint8Array,
    now: Monotonic,
  ): Result<OpenedStream, TurnDrop> {
    const { settings } = this;
    if (settings === undefined) return err('tunnel-off');
    const opening = decodeTunnelOpening(bytes);
    if (!opening.ok) return err('tunnel-malformed');
    const { cookie, source, destination } = opening.value;
    // It was given to that edge's UDP port, from which it asked: who has the one has the other.
    if (!this.#cookies.check(cookie, address, settings.port, now)) {
      state.drop('tunnel-bad-cookie');
      return ok({ connection: undefined, answer: encodeTunnelAnswer('unknown-cookie', cookie) });
    }
    const refusal = this.#judge(state, address, source);
    if (refusal !== undefined) return err(refusal);
    const relay = state.relayAt(destination.address, destination.port);
    if (relay === undefined) return err('tunnel-no-target');
    const connection = acceptConnection(state, relay, source.address, source.port, now);
    if (!connection.ok) return connection;
    return ok({ connection: connection.value, answer: encodeTunnelAnswer('accepted', cookie) });
  }

  /** The partner at an address that may be an edge, asked if need be; undefined when it is reached as a plain peer. */
  #lookUp(
    state: RelayState,
    relay: Relay,
    address: string,
    now: Monotonic,
  ): { readonly partner: PartnerEdge; readonly listener: TurnListener } | undefined {
    if (this.settings === undefined || this.settings.without.includes(address)) return undefined;
    const partner = this.#partners.of(address);
    const listener = this.#listenerOf(relay);
    if (partner === undefined || listener === undefined) return undefined;
    if (partner.isEdge(now)) {
      if (now >= partner.askAgainAt && partner.question === undefined)
        this.#ask(state, partner, listener, now);
      return { partner, listener };
    }
    if (now < partner.plainUntil) return undefined;
    if (partner.question === undefined) {
      if (!this.#ask(state, partner, listener, now)) {
        if (partner.isIdle(now)) this.#partners.forget(partner);
        return undefined;
      }
    } else if (now - partner.question.sent >= RETRY_MS) this.#sendQuestion(state, partner, now);
    return { partner, listener };
  }

  /** A Binding response. True when it answers a question of ours. */
  handleAnswer(state: RelayState, request: TurnRequest): boolean {
    const { listener, address, port, message, now } = request;
    const partner = this.#partners.find(address);
    const question = partner?.question;
    if (partner === undefined || question === undefined || port !== this.settings?.port) return false;
    if (question.listener.id !== listener.id) return false;
    if (!sameOctets(question.transactionId, message.transactionId)) return false;
    partner.question = undefined;
    const cookie = cookieIn(message, question.cookie);
    if (cookie === undefined) this.#takeAsPlain(state, partner, now);
    else {
      partner.cookie = new Uint8Array(cookie);
      partner.cookieUntil = now + ANSWER_MS;
      partner.askAgainAt = now + ASK_AGAIN_MS;
      for (const held of partner.release()) {
        if (held.relay.state !== 'bound') continue;
        this.#send(state, partner, listener, held.relay, held.port, held.bytes, 0, held.bytes.length);
      }
      for (const connection of partner.releaseConnections()) this.#dial(state, partner, connection, now);
    }
    return true;
  }

  /** What an answer to a Binding request has besides, when it asks for our version. */
  answerQuestion(answer: StunWriter, { listener, address, port, message, now }: TurnRequest): void {
    if (this.settings === undefined || listener.face !== 'external' || listener.transport !== 'udp') return;
    const question = decodeEdgeQuestion(message);
    if (!question.ok || question.value.version !== EDGE_VERSION) return;
    encodeEdgeAnswer(answer, question.value.probeCookie, this.#cookies.issue(address, port, now));
  }

  /**
   * A datagram with the tunnel's mark.
   * @returns why it is dropped
   */
  handleDatagram(
    state: RelayState,
    request: { listener: TurnListener; address: string; port: number; now: Monotonic },
    bytes: Uint8Array,
    deliver: DeliverTunnelled,
  ): TurnDrop | undefined {
    const { listener, address, port, now } = request;
    if (this.settings === undefined || listener.face !== 'external') return 'tunnel-off';
    const decoded = decodeTunnel(bytes);
    if (!decoded.ok) return 'tunnel-malformed';
    const frame = decoded.value;
    if (frame.kind === 'reject') {
      this.#handleReject(address, port, frame.cookie);
      return undefined;
    }
    if (!this.#cookies.check(frame.cookie, address, port, now)) {
      // Shorter than what it answers: of no use to whoever makes addresses up.
      if (mayAnswer(state, request)) {
        const reject = state.sink.frame(bytes.length);
        const length = encodeTunnelReject(reject, frame.cookie);
        state.sink.sendToClient(listener, address, port, reject, 0, length);
      }
      return 'tunnel-bad-cookie';
    }
    const refusal = this.#judge(state, address, frame.source);
    if (refusal !== undefined) return refusal;
    const relay = state.relayAt(frame.destination.address, frame.destination.port);
    if (relay === undefined || relay.transport !== 'udp') return 'tunnel-no-target';
    this.received++;
    deliver(relay, address, frame.source.port, bytes, frame.start, now);
    return undefined;
  }

  handleTimeouts(state: RelayState, now: Monotonic): void {
    for (const partner of this.#partners.all()) {
      const { question } = partner;
      if (question !== undefined) {
        if (now - question.begun >= PATIENCE_MS) {
          partner.question = undefined;
          if (!partner.isEdge(now)) this.#takeAsPlain(state, partner, now);
        } else if (now - question.sent >= RETRY_MS) this.#sendQuestion(state, partner, now);
      }
      if (partner.isIdle(now)) this.#partners.forget(partner);
    }
  }

  /** The outer source is the inner source, and neither is one of ours. */
  #judge(state: RelayState, address: string, source: TransportAddress): TurnDrop | undefined {
    if (source.address !== address) return 'tunnel-foreign-source';
    return state.isRelayAddress(address) ? 'peer-claims-own-address' : undefined;
  }

  /** The partner has forgotten what it told us, since it began anew; only who saw our datagram knows its cookie. */
  #handleReject(address: string, port: number, cookie: Uint8Array): void {
    const partner = this.#partners.find(address);
    if (partner?.cookie === undefined || port !== this.settings?.port) return;
    if (sameOctets(partner.cookie, cookie)) partner.cookieUntil = 0;
  }

  #takeAsPlain(state: RelayState, partner: PartnerEdge, now: Monotonic): void {
    partner.cookieUntil = 0;
    partner.plainUntil = now + SILENCE_MS;
    for (const { relay, port, bytes } of partner.release()) {
      if (relay.state === 'bound')
        state.sink.sendToPeer(relay, partner.address, port, bytes, 0, bytes.length);
    }
    for (const connection of partner.releaseConnections()) state.sink.connectPeer(connection);
  }

  #dial(state: RelayState, partner: PartnerEdge, connection: PeerConnection, now: Monotonic): void {
    const { relay, port } = connection;
    const { cookie } = partner;
    const localPort = portToEdge(state, connection, now);
    if (this.settings === undefined || cookie === undefined || localPort === undefined) {
      endConnection(state, connection, now);
      return;
    }
    connection.tunnelCookie = cookie;
    connection.dial = {
      address: partner.address,
      port: this.settings.streamPort,
      localPort,
      opening: encodeTunnelOpening({
        cookie,
        source: { address: relay.advertised, port: relay.port },
        destination: { address: partner.address, port },
      }),
    };
    state.sink.connectPeer(connection);
  }

  #ask(state: RelayState, partner: PartnerEdge, listener: TurnListener, now: Monotonic): boolean {
    if (!this.#partners.mayAsk(now)) return false;
    const transactionId = this.#random.bytes(TRANSACTION_ID_BYTES);
    const cookie = this.#random.bytes(EDGE_COOKIE_BYTES);
    partner.question = { listener, transactionId, cookie, begun: now, sent: now };
    this.#sendQuestion(state, partner, now);
    return true;
  }

  #sendQuestion(state: RelayState, partner: PartnerEdge, now: Monotonic): void {
    const { question } = partner;
    if (question === undefined || this.settings === undefined) return;
    question.sent = now;
    const frame = state.sink.frame(QUESTION_ROOM);
    writer.begin(frame, Method.Binding, MessageClass.Request, question.transactionId);
    encodeEdgeQuestion(writer, question.cookie);
    state.sink.sendToClient(question.listener, partner.address, this.settings.port, frame, 0, writer.length);
  }

  #send(
    state: RelayState,
    partner: PartnerEdge,
    listener: TurnListener,
    relay: Relay,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.settings === undefined || partner.cookie === undefined) return;
    const header = tunnelHeaderBytes(relay.family);
    if (header + end - start > 0xffe3) {
      state.drop('data-too-long');
      return;
    }
    const frame = state.sink.frame(header + end - start);
    const source = { address: relay.advertised, port: relay.port };
    encodeTunnelHeader(frame, partner.cookie, source, { address: partner.address, port }, end - start);
    for (let at = start; at < end; at++) frame[header + at - start] = bytes[at] ?? 0;
    this.sent++;
    state.sink.sendToClient(listener, partner.address, this.settings.port, frame, 0, header + end - start);
  }

  /** The partner compares where a datagram comes from with the relayed address within. */
  #listenerOf(relay: Relay): TurnListener | undefined {
    return this.listeners.find(
      ({ face, transport, address }) =>
        face === 'external' && transport === 'udp' && address === relay.address,
    );
  }
}

/** The tunnel cookie of an answer that is a good one. */
function cookieIn(message: StunMessage, probeCookie: Uint8Array): Uint8Array | undefined {
  if (message.messageClass !== MessageClass.Success) return undefined;
  const answer = decodeEdgeAnswer(message);
  if (!answer.ok || answer.value.version !== EDGE_VERSION) return undefined;
  return sameOctets(answer.value.probeCookie, probeCookie) ? answer.value.tunnelCookie : undefined;
}
