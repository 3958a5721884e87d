import { type Failure, failure, type Monotonic, type Random } from '#kernel';
import {
  type AddressFamily,
  AttributeType,
  CHANNEL_HEADER_BYTES,
  canonicalIp,
  channelDataLength,
  channelNumberOf,
  checkMessageIntegrity,
  decodeData,
  decodeErrorCode,
  decodeLifetime,
  decodeMappedAddress,
  decodeStun,
  decodeText,
  decodeXorAddress,
  ErrorCode,
  encodeChannelHeader,
  encodeData,
  encodeXorAddress,
  HEADER_BYTES,
  longTermKey,
  looksLikeChannelData,
  MessageClass,
  Method,
  paddedLength,
  type StunMessage,
  StunWriter,
  type TransportAddress,
  xorAddressBytes,
} from '#protocols/stun';
import { ClientPeers } from './client-peers.ts';
import { type ClientRequest, type Credentials, writeRequest } from './client-requests.ts';
import {
  type RetransmissionTimes,
  retransmissionTimes,
  type Transaction,
  Transactions,
} from './transactions.ts';
import {
  type TurnClientDrop,
  type TurnClientEvent,
  type TurnClientSink,
  turnClientDrops,
} from './turn-client-sink.ts';

export interface TurnClientLimits {
  /** Peers with a permission or a channel at once. */
  readonly peers: number;
}

export interface TurnClientOptions {
  readonly username: string | Uint8Array;
  readonly password: string | Uint8Array;
  readonly random: Random;
  readonly sink: TurnClientSink;
  /** Family of the relayed address; the server's default (IPv4) when left out. */
  readonly family?: AddressFamily;
  /** Seconds of lifetime to ask for; the server's default when left out. */
  readonly lifetime?: number;
  readonly limits?: TurnClientLimits;
  readonly times?: RetransmissionTimes;
}

/** Challenges to one request that are followed before the server is taken to be broken. */
const MOST_CHALLENGES = 3;
const LONGEST_DATA = 65_535;

/**
 * A TURN client without socket or timers, for one allocation over UDP (RFC 8656, long-term credentials of
 * RFC 8489 §9.2). Commands: `allocate`, then `permit`, `bindChannel`, `send`, at last `deallocate`. Inputs:
 * `handleDatagram`, and `handleTimeouts` at `deadline()` or a little later. What it holds it renews by itself.
 */
export class TurnClient {
  readonly #options: TurnClientOptions;
  readonly #sink: TurnClientSink;
  readonly #transactions: Transactions<ClientRequest>;
  readonly #peers: ClientPeers;
  readonly #writer = new StunWriter();
  readonly #buffer = new Uint8Array(LONGEST_DATA + 64);
  readonly #drops = new Map<TurnClientDrop, number>(turnClientDrops.map((reason) => [reason, 0]));
  #state: 'idle' | 'allocating' | 'allocated' | 'deallocating' | 'ended' = 'idle';
  #credentials: Credentials | undefined;
  #relayed: TransportAddress | undefined;
  #mapped: TransportAddress | undefined;
  /** When the allocation is refreshed; Infinity while a request is open. */
  #refreshDue: Monotonic = Number.POSITIVE_INFINITY;

  constructor(options: TurnClientOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#peers = new ClientPeers(options.limits?.peers ?? 256);
    this.#transactions = new Transactions(options.times ?? retransmissionTimes);
  }

  /** Begins. The outcome is an 'allocated' or 'ended' event. Only once. */
  allocate(now: Monotonic): void {
    if (this.#state !== 'idle') throw new Error('a TurnClient allocates once');
    this.#state = 'allocating';
    this.#request({ kind: 'allocate', family: this.#options.family, lifetime: this.#options.lifetime }, now);
  }
  /**
   * Lets a peer's address send to us, and us to it. The outcome is a 'permitted' or 'peer-refused' event.
   * Permissions are per address; the port only tells the server which peer is meant.
   * @returns false when there is no allocation, the text is no address, or too many peers are known
   */
  permit(address: string, port: number, now: Monotonic): boolean {
    const peer = canonicalIp(address);
    if (this.#state !== 'allocated' || peer === undefined) return false;
    if (this.#peers.permission(peer) !== undefined) return true;
    if (this.#peers.addPermission(peer, port) === undefined) return false;
    this.#request({ kind: 'permission', peer: { address: peer, port } }, now);
    return true;
  }
  /**
   * Binds a channel to a peer, which permits its address too. The outcome is a 'channel-bound' or 'peer-refused' event.
   * @returns the channel number, or undefined when none can be had
   */
  bindChannel(address: string, port: number, now: Monotonic): number | undefined {
    const peer = canonicalIp(address);
    if (this.#state !== 'allocated' || peer === undefined || port < 1 || port > 0xffff) return undefined;
    const known = this.#peers.channelTo(peer, port);
    if (known !== undefined) return known.number;
    const channel = this.#peers.addChannel(peer, port);
    if (channel === undefined) return undefined;
    this.#request({ kind: 'channel', channel: channel.number, peer: { address: peer, port } }, now);
    return channel.number;
  }
  /**
   * Sends data to a peer: on its channel when one is bound, else in a Send indication. No promise that it arrives.
   * @returns false when nothing was sent: no allocation, no permission (yet), or more than 65535 octets
   */
  send(address: string, port: number, bytes: Uint8Array): boolean {
    if (this.#state !== 'allocated' || bytes.length > LONGEST_DATA) return false;
    const channel = this.#peers.channelTo(address, port);
    if (channel?.bound) {
      encodeChannelHeader(this.#buffer, 0, channel.number, bytes.length);
      this.#buffer.set(bytes, CHANNEL_HEADER_BYTES);
      this.#sink.send(this.#buffer.subarray(0, CHANNEL_HEADER_BYTES + bytes.length));
      return true;
    }
    if (!this.#peers.permission(address)?.granted) return false;
    const size = HEADER_BYTES + xorAddressBytes(address) + 4 + paddedLength(bytes.length);
    if (size > this.#buffer.length) return false;
    this.#writer.begin(this.#buffer, Method.Send, MessageClass.Indication, this.#options.random.bytes(12));
    encodeXorAddress(this.#writer, AttributeType.XorPeerAddress, address, port);
    encodeData(this.#writer, bytes, 0, bytes.length);
    this.#sink.send(this.#writer.bytes);
    return true;
  }
  /** Gives the allocation back; an 'ended' event follows, also when the server never answers. */
  deallocate(now: Monotonic): void {
    if (this.#state === 'idle' || this.#state === 'allocating') {
      this.#end({ type: 'ended' });
    } else if (this.#state === 'allocated') {
      this.#state = 'deallocating';
      this.#transactions.clear();
      this.#request({ kind: 'deallocate' }, now);
    }
  }

  /** One datagram from the server. `bytes` are only read during the call. */
  handleDatagram(bytes: Uint8Array, now: Monotonic): void {
    if (looksLikeChannelData(bytes[0] ?? 0)) {
      this.#handleChannelData(bytes);
      return;
    }
    const decoded = decodeStun(bytes);
    if (!decoded.ok) this.#drop('not-stun');
    else if (decoded.value.messageClass === MessageClass.Indication) this.#handleIndication(decoded.value);
    else if (decoded.value.messageClass === MessageClass.Request) this.#drop('unexpected-message');
    else this.#handleAnswer(decoded.value, now);
  }

  /** Sends again what was not answered, renews what is about to end, gives up what has failed. */
  handleTimeouts(now: Monotonic): void {
    const { again, failed } = this.#transactions.due(now);
    for (const transaction of again) this.#sink.send(transaction.bytes);
    for (const transaction of failed) {
      const code = transaction.violated ? 'SLP-AV-0103' : 'SLP-AV-0102';
      this.#handleFailure(transaction.purpose, failure(code), undefined);
    }
    this.#renew(now);
  }
  /** When `handleTimeouts` has something to do next. */
  deadline(): Monotonic | undefined {
    if (this.#state === 'ended') return undefined;
    const retransmission = this.#transactions.deadline() ?? Number.POSITIVE_INFINITY;
    const earliest = Math.min(retransmission, this.#refreshDue, this.#peers.deadline());
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  get state(): 'idle' | 'allocating' | 'allocated' | 'deallocating' | 'ended' {
    return this.#state;
  }
  /** The relayed address, once allocated. */
  get relayed(): TransportAddress | undefined {
    return this.#relayed;
  }
  /** Our own address as the server saw it. */
  get mapped(): TransportAddress | undefined {
    return this.#mapped;
  }
  get drops(): ReadonlyMap<TurnClientDrop, number> {
    return this.#drops;
  }

  #request(purpose: ClientRequest, now: Monotonic, challenges = 0): void {
    const { random } = this.#options;
    const bytes = new Uint8Array(
      writeRequest(this.#writer, this.#buffer, random.bytes(12), purpose, this.#credentials),
    );
    this.#transactions.start({ purpose, bytes, key: this.#credentials?.key, challenges }, now);
    this.#sink.send(bytes);
  }

  #handleChannelData(bytes: Uint8Array): void {
    const length = channelDataLength(bytes);
    const channel = this.#peers.channel(channelNumberOf(bytes));
    if (length < 0) this.#drop('malformed-data');
    else if (channel === undefined || this.#state !== 'allocated') this.#drop('no-channel');
    else {
      const data = bytes.subarray(CHANNEL_HEADER_BYTES, CHANNEL_HEADER_BYTES + length);
      this.#sink.data(channel.address, channel.port, data);
    }
  }

  /** RFC 8656 §11.4: data of a peer that we have permitted. */
  #handleIndication(message: StunMessage): void {
    if (message.method !== Method.Data || this.#state !== 'allocated') {
      this.#drop('unexpected-message');
      return;
    }
    const peer = decodeXorAddress(message, AttributeType.XorPeerAddress);
    const data = decodeData(message);
    if (!peer.ok || data < 0) this.#drop('malformed-data');
    else if (!this.#peers.expects(peer.value.address)) this.#drop('no-permission');
    else this.#sink.data(peer.value.address, peer.value.port, message.valueAt(data));
  }

  /** RFC 8489 §9.2.5. */
  #handleAnswer(message: StunMessage, now: Monotonic): void {
    const transaction = this.#transactions.find(message.bytes);
    if (transaction === undefined) {
      this.#drop('unknown-transaction');
      return;
    }
    const error = message.messageClass === MessageClass.Error ? decodeErrorCode(message) : undefined;
    const code = error?.ok ? error.value.code : undefined;
    if (code === ErrorCode.Unauthenticated || code === ErrorCode.StaleNonce) {
      this.#handleChallenge(transaction, message, code, now);
      return;
    }
    if (transaction.key !== undefined && !checkMessageIntegrity(message, transaction.key)) {
      transaction.violated = true;
      this.#drop('unauthenticated-answer');
      return;
    }
    this.#transactions.end(transaction);
    if (error === undefined) this.#handleSuccess(transaction.purpose, message, now);
    else if (code === ErrorCode.TryAlternate && transaction.purpose.kind === 'allocate')
      this.#redirect(message);
    else this.#handleFailure(transaction.purpose, failure('SLP-AV-0105', `error ${code ?? 'unknown'}`), code);
  }

  /** 401 or 438: once more with the server's realm and nonce, unless the credentials themselves were refused. */
  #handleChallenge(
    transaction: Transaction<ClientRequest>,
    message: StunMessage,
    code: number,
    now: Monotonic,
  ): void {
    this.#transactions.end(transaction);
    const realm = decodeText(message, AttributeType.Realm);
    const nonce = decodeText(message, AttributeType.Nonce);
    const { purpose, challenges } = transaction;
    if (code === ErrorCode.Unauthenticated && transaction.key !== undefined) {
      this.#handleFailure(purpose, failure('SLP-AV-0104'), code);
    } else if (!realm.ok || !nonce.ok || challenges >= MOST_CHALLENGES) {
      this.#handleFailure(purpose, failure('SLP-AV-0107', 'a challenge that cannot be met'), code);
    } else {
      const { username, password } = this.#options;
      this.#credentials = {
        username: typeof username === 'string' ? Buffer.from(username, 'utf8') : username,
        realm: new Uint8Array(realm.value),
        nonce: new Uint8Array(nonce.value),
        key: longTermKey(username, realm.value, password),
      };
      this.#request(purpose, now, challenges + 1);
    }
  }

  #handleSuccess(purpose: ClientRequest, message: StunMessage, now: Monotonic): void {
    switch (purpose.kind) {
      case 'allocate':
        this.#handleAllocated(message, now);
        break;
      case 'refresh':
        this.#scheduleRefresh(message, now);
        break;
      case 'deallocate':
        this.#end({ type: 'ended' });
        break;
      case 'permission':
        this.#handlePermitted(purpose.peer.address, now);
        break;
      case 'channel':
        this.#handleChannelBound(purpose.channel, now);
        break;
    }
  }

  #handleAllocated(message: StunMessage, now: Monotonic): void {
    const relayed = decodeXorAddress(message, AttributeType.XorRelayedAddress);
    const mapped = decodeXorAddress(message, AttributeType.XorMappedAddress);
    const lifetime = decodeLifetime(message);
    if (!relayed.ok || !mapped.ok || !lifetime.ok) {
      this.#end({
        type: 'ended',
        failure: failure('SLP-AV-0107', 'an Allocate answer without its addresses'),
      });
      return;
    }
    this.#state = 'allocated';
    this.#relayed = { address: relayed.value.address, port: relayed.value.port };
    this.#mapped = { address: mapped.value.address, port: mapped.value.port };
    this.#scheduleRefresh(message, now);
    const event = { relayed: this.#relayed, mapped: this.#mapped, lifetime: lifetime.value };
    this.#sink.event({ type: 'allocated', ...event });
  }

  /** A minute before the end, or half way when there is less than two. */
  #scheduleRefresh(message: StunMessage, now: Monotonic): void {
    const lifetime = decodeLifetime(message);
    const seconds = lifetime.ok ? lifetime.value : 600;
    this.#refreshDue = now + 1000 * (seconds > 120 ? seconds - 60 : seconds / 2);
  }

  #handlePermitted(address: string, now: Monotonic): void {
    if (this.#peers.grant(address, now) !== undefined) this.#sink.event({ type: 'permitted', address });
  }

  #handleChannelBound(number: number, now: Monotonic): void {
    const channel = this.#peers.bound(number, now);
    if (channel === undefined) return;
    const { address, port } = channel;
    this.#sink.event({ type: 'channel-bound', peer: { address, port }, channel: number });
  }

  #redirect(message: StunMessage): void {
    const alternate = decodeMappedAddress(message, AttributeType.AlternateServer);
    const problem = failure('SLP-AV-0106', alternate.ok ? alternate.value.address : 'no address given');
    const event = { type: 'ended', failure: problem, code: ErrorCode.TryAlternate } as const;
    this.#end(alternate.ok ? { ...event, alternate: alternate.value } : event);
  }

  /** A request that did not succeed. Without its allocation (437) everything is over; else only what it was for. */
  #handleFailure(purpose: ClientRequest, problem: Failure, code: number | undefined): void {
    const lost = code === ErrorCode.AllocationMismatch;
    if (purpose.kind === 'deallocate') this.#end({ type: 'ended' });
    else if (purpose.kind === 'allocate' || purpose.kind === 'refresh' || lost) {
      this.#end(
        code === undefined ? { type: 'ended', failure: problem } : { type: 'ended', failure: problem, code },
      );
    } else {
      const { address } = purpose.peer;
      if (purpose.kind === 'permission') this.#peers.forgetPermission(address);
      else this.#peers.forgetChannel(purpose.channel);
      this.#sink.event({ type: 'peer-refused', address, code, failure: problem });
    }
  }

  #renew(now: Monotonic): void {
    if (this.#state !== 'allocated') return;
    if (this.#refreshDue <= now) {
      this.#refreshDue = Number.POSITIVE_INFINITY;
      this.#request({ kind: 'refresh', lifetime: this.#options.lifetime }, now);
    }
    for (const request of this.#peers.renewals(now)) this.#request(request, now);
  }

  #end(event: TurnClientEvent & { type: 'ended' }): void {
    this.#state = 'ended';
    this.#transactions.clear();
    this.#peers.clear();
    this.#refreshDue = Number.POSITIVE_INFINITY;
    this.#sink.event(event);
  }

  #drop(reason: TurnClientDrop): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
  }
}
