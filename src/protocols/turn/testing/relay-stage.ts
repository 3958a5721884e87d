import { err, type Monotonic, ok, SeededRandom, type WallTime } from '#kernel';
import {
  AttributeType,
  decodeErrorCode,
  decodeStun,
  decodeText,
  decodeXorAddress,
  encodeChannelHeader,
  encodeChannelNumber,
  encodeLifetime,
  encodeMessageIntegrity,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  longTermKey,
  MessageClass,
  Method,
  type PasswordAlgorithm,
  type StunMessage,
  StunWriter,
  TransportProtocol,
} from '#protocols/stun';
import {
  type Allocation,
  type AllocationEnd,
  type PeerConnection,
  parsePeerPolicy,
  type RefusedRequest,
  type Relay,
  type TurnDrop,
  type TurnListener,
  TurnRelay,
  type TurnRelayOptions,
  type TurnSink,
} from '../index.ts';

/** A relay on a stage for tests: everything that it puts out is written down, time is a number. */

export const REALM = 'example.org';
export const PASSWORD = 'secret';
export const RELAY_V4 = '203.0.113.30';
export const RELAY_V6 = '2001:db8:30::1';

export const outside: TurnListener = {
  id: 1,
  face: 'external',
  transport: 'udp',
  address: RELAY_V4,
  port: 3478,
};
export const inside: TurnListener = {
  id: 2,
  face: 'internal',
  transport: 'udp',
  address: '10.9.0.1',
  port: 3478,
};

export interface ToClient {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  readonly bytes: Buffer;
}

export interface ToPeer {
  readonly relay: Relay;
  readonly address: string;
  readonly port: number;
  readonly bytes: Buffer;
}

/** Keeps copies of all output. The lent buffer is always the same and is wiped when it is lent again. */
export class RecordingSink implements TurnSink {
  readonly toClient: ToClient[] = [];
  readonly toPeer: ToPeer[] = [];
  readonly paced: { readonly listener: TurnListener; readonly milliseconds: number }[] = [];
  readonly bind: Relay[] = [];
  readonly closed: Relay[] = [];
  readonly drops: TurnDrop[] = [];
  readonly opened: Allocation[] = [];
  readonly refusals: {
    readonly address: string;
    readonly code: number;
    readonly user: string | undefined;
  }[] = [];
  refused({ address, proof }: RefusedRequest, code: number): void {
    this.refusals.push({ address, code, user: proof?.user });
  }
  readonly ended: { allocation: Allocation; reason: AllocationEnd }[] = [];
  readonly #frame = Buffer.alloc(66_000);

  frame(size: number): Uint8Array {
    return this.#frame.subarray(0, size).fill(0xaa);
  }
  sendToClient(
    listener: TurnListener,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.toClient.push({ listener, address, port, bytes: Buffer.from(bytes.subarray(start, end)) });
    bytes.fill(0xbb);
  }
  sendToPeer(
    relay: Relay,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.toPeer.push({ relay, address, port, bytes: Buffer.from(bytes.subarray(start, end)) });
  }
  paceClient(listener: TurnListener, milliseconds: number): void {
    this.paced.push({ listener, milliseconds });
  }
  readonly held: { readonly listener: TurnListener; readonly receiver: TurnListener }[] = [];
  holdClient(listener: TurnListener, receiver: TurnListener): void {
    this.held.push({ listener, receiver });
  }
  readonly written: { readonly connection: PeerConnection; readonly bytes: Buffer }[] = [];
  writeToPeer(connection: PeerConnection, bytes: Uint8Array): void {
    this.written.push({ connection, bytes: Buffer.from(bytes) });
  }
  readonly dialled: PeerConnection[] = [];
  readonly joined: { readonly connection: PeerConnection; readonly listener: TurnListener }[] = [];
  readonly hungUp: PeerConnection[] = [];
  connectPeer(connection: PeerConnection): void {
    this.dialled.push(connection);
  }
  bindConnection(connection: PeerConnection, listener: TurnListener): void {
    this.joined.push({ connection, listener });
  }
  closeConnection(connection: PeerConnection): void {
    this.hungUp.push(connection);
  }
  bindRelay(relay: Relay): void {
    this.bind.push(relay);
  }
  closeRelay(relay: Relay): void {
    this.closed.push(relay);
  }
  drop(reason: TurnDrop, count: number): void {
    for (let n = 0; n < count; n += 1) this.drops.push(reason);
  }
  /** Whose rights have changed since somebody looked. */
  readonly changed = new Set<Allocation>();
  rightsChanged(allocation: Allocation): void {
    this.changed.add(allocation);
  }
  allocationOpened(allocation: Allocation): void {
    this.opened.push(allocation);
  }
  allocationClosed(allocation: Allocation, reason: AllocationEnd): void {
    this.ended.push({ allocation, reason });
  }
}

/** One client of the staged relay: builds requests by hand and keeps realm and nonce. */
export class StagedClient {
  readonly stage: RelayStage;
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  username: string;
  password = PASSWORD;
  nonce: Uint8Array | undefined;
  /** Set to send attributes after MESSAGE-INTEGRITY. */
  afterIntegrity: ((writer: StunWriter) => void) | undefined;
  readonly #writer = new StunWriter();

  constructor(stage: RelayStage, listener: TurnListener, address: string, port: number, username: string) {
    this.stage = stage;
    this.listener = listener;
    this.address = address;
    this.port = port;
    this.username = username;
  }
  /** A request without credentials. */
  bare(method: number, fill: (writer: StunWriter) => void = () => {}): Buffer {
    const writer = this.begin(method, MessageClass.Request);
    fill(writer);
    return Buffer.from(writer.bytes);
  }
  /** A request with credentials, after a challenge if there was none yet. */
  proven(method: number, fill: (writer: StunWriter) => void = () => {}): Buffer {
    if (this.nonce === undefined) this.challenge();
    const writer = this.begin(method, MessageClass.Request);
    fill(writer);
    encodeText(writer, AttributeType.Username, Buffer.from(this.username));
    encodeText(writer, AttributeType.Realm, Buffer.from(REALM));
    encodeText(writer, AttributeType.Nonce, this.nonce ?? new Uint8Array(0));
    encodeMessageIntegrity(writer, longTermKey(this.username, REALM, this.password));
    this.afterIntegrity?.(writer);
    return Buffer.from(writer.bytes);
  }
  indication(method: number, fill: (writer: StunWriter) => void): Buffer {
    const writer = this.begin(method, MessageClass.Indication);
    fill(writer);
    return Buffer.from(writer.bytes);
  }
  begin(method: number, messageClass: MessageClass): StunWriter {
    return this.#writer.begin(new Uint8Array(66_000), method, messageClass, this.stage.random.bytes(12));
  }
  challenge(): void {
    const refusal = this.ask(this.bare(Method.Allocate));
    const nonce = decodeText(refusal, AttributeType.Nonce);
    if (nonce.ok) this.nonce = nonce.value;
  }
  /** Allocates; the relayed address. */
  allocate(more: (writer: StunWriter) => void = () => {}): { address: string; port: number } {
    const answer = this.ask(
      this.proven(Method.Allocate, (writer) => {
        encodeRequestedTransport(writer, TransportProtocol.Udp);
        more(writer);
      }),
    );
    const relayed = decodeXorAddress(answer, AttributeType.XorRelayedAddress);
    if (!relayed.ok) throw new Error(`refused with ${errorOf(answer)}`);
    this.received();
    return { address: relayed.value.address, port: relayed.value.port };
  }
  /** Asks for permissions; the error code, or 0. */
  permit(...peers: readonly [address: string, port: number][]): number {
    const request = this.proven(Method.CreatePermission, (writer) => {
      for (const [address, port] of peers)
        encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port);
    });
    return errorOf(this.ask(request));
  }
  /** Binds a channel; the error code, or 0. */
  bindChannel(channel: number, address: string, port: number): number {
    const request = this.proven(Method.ChannelBind, (writer) => {
      encodeChannelNumber(writer, channel);
      encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port);
    });
    return errorOf(this.ask(request));
  }
  /** Refreshes; the error code, or 0. */
  refresh(lifetime?: number): number {
    const request = this.proven(Method.Refresh, (writer) => {
      if (lifetime !== undefined) encodeLifetime(writer, lifetime);
    });
    return errorOf(this.ask(request));
  }
  sendIndication(address: string, port: number, data: string): void {
    const bytes = this.indication(Method.Send, (writer) => {
      encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port);
      writer.put(AttributeType.Data, Buffer.from(data));
    });
    this.send(bytes);
  }
  sendChannel(channel: number, data: string): void {
    const bytes = Buffer.alloc(4 + Buffer.byteLength(data));
    encodeChannelHeader(bytes, 0, channel, bytes.length - 4);
    bytes.write(data, 4);
    this.send(bytes);
  }
  /** Delivers bytes to the relay. */
  send(bytes: Uint8Array): void {
    this.stage.relay.handleClientDatagram(this.listener, this.address, this.port, bytes, this.stage.now);
  }
  /** Delivers bytes and decodes the one answer that they draw at once; sockets are bound on the way. */
  ask(bytes: Uint8Array): StunMessage {
    const { toClient } = this.stage.sink;
    const before = toClient.length;
    this.send(bytes);
    this.stage.bindAll();
    if (toClient.length !== before + 1) throw new Error(`${toClient.length - before} answers instead of one`);
    const decoded = decodeStun(toClient[before]?.bytes ?? new Uint8Array(0));
    if (!decoded.ok) throw new Error(`the answer is not STUN: ${decoded.error}`);
    return decoded.value;
  }
  /** The datagrams that reached this client, and forgets them. */
  received(): Buffer[] {
    const { toClient } = this.stage.sink;
    const mine = toClient.filter((item) => item.address === this.address && item.port === this.port);
    for (const item of mine) toClient.splice(toClient.indexOf(item), 1);
    return mine.map((item) => item.bytes);
  }
}

/** The error code of an answer, 0 for a success. */
export function errorOf(message: StunMessage): number {
  if (message.messageClass === MessageClass.Success) return 0;
  const code = decodeErrorCode(message);
  if (!code.ok) throw new Error('an error answer without a code');
  return code.value.code;
}

/** A Data indication in short: "address:port data". */
export function dataOf(bytes: Uint8Array | undefined): string {
  const decoded = decodeStun(bytes ?? new Uint8Array(0));
  if (!decoded.ok) throw new Error(`not STUN: ${decoded.error}`);
  const peer = decodeXorAddress(decoded.value, AttributeType.XorPeerAddress);
  const data = decoded.value.value(AttributeType.Data);
  if (!peer.ok || data === undefined) throw new Error('not a Data indication');
  return `${peer.value.address}:${peer.value.port} ${Buffer.from(data).toString()}`;
}

export interface StageOptions extends Partial<TurnRelayOptions> {
  readonly allowedPeers?: readonly string[];
  readonly internalNetworks?: readonly string[];
}

/** Documentation addresses stand for the Internet here, so they are allowed as peers. */
export const DOCUMENTATION = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'];

export class RelayStage {
  now: Monotonic = 1_000;
  wall: WallTime = 1_700_000_000_000;
  /** Ports that cannot be bound. */
  readonly unbindable = new Set<number>();
  readonly sink = new RecordingSink();
  readonly random = new SeededRandom(7);
  readonly relay: TurnRelay;
  /** Username to the end of its credential. */
  readonly expiries = new Map<string, WallTime>();

  constructor(options: StageOptions = {}) {
    const policy = parsePeerPolicy({
      ownAddresses: ['203.0.113.10', '10.9.0.1'],
      internalNetworks: options.internalNetworks ?? ['10.0.0.0/8'],
      allowedPeers: options.allowedPeers ?? DOCUMENTATION,
    });
    if (!policy.ok) throw new Error(policy.error.message);
    this.relay = new TurnRelay({
      listeners: [outside, inside],
      relayAddresses: [{ address: RELAY_V4 }, { address: RELAY_V6 }],
      ports: { first: 50_000, last: 50_099 },
      realm: REALM,
      policy: policy.value,
      random: this.random,
      wall: () => this.wall,
      sink: this.sink,
      verifier: {
        lookup: (username, realm, _wall, algorithm) =>
          this.#lookup(Buffer.from(username).toString(), realm, algorithm),
      },
      ...options,
      // Peers of the plays are at any port.
      limits: { lowestPeerPort: 1, ...options.limits },
    });
  }
  client(
    options: { listener?: TurnListener; address?: string; port?: number; username?: string } = {},
  ): StagedClient {
    const { listener = outside, address = '198.51.100.7', port = 40_000, username = 'alice' } = options;
    return new StagedClient(this, listener, address, port, username);
  }
  /** Lets time pass, with the sweeps that an adapter would do. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.now += 1_000;
      this.wall += 1_000;
      this.relay.handleTimeouts(this.now);
    }
  }
  /** Lets time pass without a sweep. */
  passUnswept(seconds: number): void {
    this.now += seconds * 1_000;
    this.wall += seconds * 1_000;
  }
  bindAll(): void {
    for (let relay = this.sink.bind.shift(); relay !== undefined; relay = this.sink.bind.shift()) {
      if (this.unbindable.has(relay.port)) this.relay.handleRelayBindFailed(relay, this.now);
      else this.relay.handleRelayBound(relay, this.now);
    }
  }
  #lookup(username: string, realm: string, algorithm?: PasswordAlgorithm) {
    if (username.startsWith('nobody')) return err('unknown');
    const expires = this.expiries.get(username) ?? Number.POSITIVE_INFINITY;
    if (expires <= this.wall) return err('expired');
    const keys = ['older secret', PASSWORD].map((password) =>
      longTermKey(username, realm, password, algorithm),
    );
    return ok({ keys, user: username.split(':')[0] ?? username, expires });
  }
}
