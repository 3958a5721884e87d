import { type Failure, failure, type Monotonic, type Random } from '#kernel';
import {
  checkMsIntegrity,
  decodeMs,
  decodeMsAddress,
  decodeMsErrorCode,
  decodeMsSequence,
  decodeMsText,
  encodeMsAddress,
  encodeMsIntegrity,
  encodeMsSequence,
  longTermKey,
  looksLikeMs,
  MsAttributeType,
  MsErrorCode,
  type MsMessage,
  MsMessageType,
  MsWriter,
  type TransportAddress,
} from '#protocols/stun';
import { retransmissionTimes, Transactions } from './transactions.ts';

export type MsTurnClientEvent =
  | { readonly type: 'allocated'; readonly relayed: TransportAddress }
  /** Data go to this peer as they are, and come from it as they are. */
  | { readonly type: 'destination-set' }
  /** The peer is none that the server relays to; the allocation stays as it was. */
  | { readonly type: 'destination-refused'; readonly failure: Failure }
  /** The allocation is over, or never came to be. Without `failure`: it was given back. */
  | { readonly type: 'ended'; readonly failure?: Failure };

/** Where the client's output goes. Called synchronously. */
export interface MsTurnClientSink {
  /** A control message for the server; in a stream its caller frames it. A copy. */
  control(message: Uint8Array): void;
  event(event: MsTurnClientEvent): void;
}

export interface MsTurnClientOptions {
  /** As issued, in base64: the dialect sends the octets that it stands for. */
  readonly username: string;
  readonly password: string;
  readonly random: Random;
  readonly sink: MsTurnClientSink;
}

type Purpose = 'allocate' | 'destination' | 'deallocate';
/** What the server needs to know whose request it is. */
interface Challenge {
  readonly realm: Uint8Array;
  readonly nonce: Uint8Array;
}

const LONGEST_REQUEST = 1_024;
const VERSION = 2;
const TRANSACTION_ID_BYTES = 16;

/**
 * A client of the Microsoft dialect without sockets: one allocation and its active destination ([MS-TURN] §3.2). Once
 * that is set, data are the caller's own business: they have no message around them.
 */
export class MsTurnClient {
  state: 'idle' | 'allocating' | 'allocated' | 'ended' = 'idle';
  readonly #options: MsTurnClientOptions;
  readonly #username: Buffer;
  readonly #password: Buffer;
  readonly #transactions = new Transactions<Purpose>(retransmissionTimes);
  readonly #writer = new MsWriter();
  #challenge: Challenge | undefined;
  #connectionId: Uint8Array | undefined;
  #sequence = 0;

  constructor(options: MsTurnClientOptions) {
    this.#options = options;
    this.#username = Buffer.from(options.username, 'base64');
    this.#password = Buffer.from(options.password, 'base64');
  }

  allocate(now: Monotonic): void {
    if (this.state !== 'idle') throw new Error(`allocate while ${this.state}`);
    this.state = 'allocating';
    this.#request('allocate', now, 0);
  }
  /** Data go to this peer from then on, and it may send. */
  setActiveDestination({ address, port }: TransportAddress, now: Monotonic): void {
    this.#request('destination', now, 0, (writer) =>
      encodeMsAddress(writer, MsAttributeType.DestinationAddress, address, port),
    );
  }
  deallocate(now: Monotonic): void {
    this.#request('deallocate', now, 0, (writer) => writer.putU32(MsAttributeType.Lifetime, 0));
  }

  /** A message from the server; false when it is none of this dialect, and so data. */
  handleMessage(bytes: Uint8Array, now: Monotonic): boolean {
    if (!looksLikeMs(bytes)) return false;
    const message = decodeMs(bytes);
    if (!message.ok) return true;
    const transaction = this.#transactions.find(bytes);
    if (transaction === undefined) return true;
    const code = decodeMsErrorCode(message.value);
    // What says yes must prove that it comes from who knows the password.
    if (!code.ok && (transaction.key === undefined || !checkMsIntegrity(message.value, transaction.key)))
      return true;
    this.#transactions.end(transaction);
    if (!code.ok) this.#succeed(transaction.purpose, message.value);
    else if (isChallenge(code.value) && transaction.challenges === 0 && transaction.purpose === 'allocate') {
      this.#follow(message.value, now);
    } else this.#refuse(transaction.purpose, refusal(code.value));
    return true;
  }
  handleTimeouts(now: Monotonic): void {
    const { again, failed } = this.#transactions.due(now);
    for (const { bytes } of again) this.#options.sink.control(bytes);
    if (failed.length > 0) this.#fail(failure('SLP-AV-0102'));
  }

  #follow(message: MsMessage, now: Monotonic): void {
    const realm = decodeMsText(message, MsAttributeType.Realm);
    const nonce = decodeMsText(message, MsAttributeType.Nonce);
    if (!realm.ok || !nonce.ok) {
      this.#fail(failure('SLP-AV-0107', 'a challenge that cannot be met'));
      return;
    }
    this.#challenge = { realm: realm.value.slice(), nonce: nonce.value.slice() };
    this.#request('allocate', now, 1);
  }

  #succeed(purpose: Purpose, message: MsMessage): void {
    const { sink } = this.#options;
    if (purpose === 'destination') return sink.event({ type: 'destination-set' });
    if (purpose === 'deallocate') return this.#end();
    const relayed = decodeMsAddress(message, MsAttributeType.MappedAddress);
    const sequence = decodeMsSequence(message);
    if (!relayed.ok || !sequence.ok) {
      return this.#fail(failure('SLP-AV-0107', 'an Allocate answer without its addresses'));
    }
    this.#connectionId = sequence.value.connectionId.slice();
    this.#sequence = sequence.value.number;
    this.state = 'allocated';
    return sink.event({ type: 'allocated', relayed: relayed.value });
  }
  #refuse(purpose: Purpose, problem: Failure): void {
    if (purpose === 'destination')
      this.#options.sink.event({ type: 'destination-refused', failure: problem });
    else this.#fail(problem);
  }
  #fail(problem: Failure): void {
    this.#end(problem);
  }
  #end(problem?: Failure): void {
    this.#transactions.clear();
    this.state = 'ended';
    this.#options.sink.event({ type: 'ended', ...(problem === undefined ? {} : { failure: problem }) });
  }

  #request(purpose: Purpose, now: Monotonic, challenges: number, fill?: (writer: MsWriter) => void): void {
    const challenge = this.#challenge;
    const type =
      purpose === 'destination' ? MsMessageType.SetActiveDestinationRequest : MsMessageType.AllocateRequest;
    const room = new Uint8Array(LONGEST_REQUEST);
    const writer = this.#writer.begin(room, type, this.#options.random.bytes(TRANSACTION_ID_BYTES));
    if (purpose !== 'destination') writer.putU32(MsAttributeType.MsVersion, VERSION);
    fill?.(writer);
    const key = challenge === undefined ? undefined : this.#prove(writer, purpose, challenge);
    const bytes = writer.bytes.slice();
    this.#transactions.start({ purpose, bytes, key, challenges }, now);
    this.#options.sink.control(bytes);
  }

  /** Set Active Destination brings neither realm nor nonce ([MS-TURN] §3.2.4.3). */
  #prove(writer: MsWriter, purpose: Purpose, { realm, nonce }: Challenge): Uint8Array {
    if (purpose !== 'destination') {
      writer.put(MsAttributeType.Realm, realm);
      writer.put(MsAttributeType.Nonce, nonce);
    }
    writer.put(MsAttributeType.Username, this.#username);
    if (this.#connectionId !== undefined) encodeMsSequence(writer, this.#connectionId, ++this.#sequence);
    const key = longTermKey(this.#username, realm, this.#password);
    encodeMsIntegrity(writer, key);
    return key;
  }
}

const challenges: ReadonlySet<number> = new Set([MsErrorCode.Unauthorized, MsErrorCode.StaleNonce]);
const isChallenge = (code: number) => challenges.has(code);

const ofCredentials: ReadonlySet<number> = new Set([
  MsErrorCode.Unauthorized,
  MsErrorCode.StaleCredentials,
  MsErrorCode.IntegrityCheckFailure,
  MsErrorCode.UnknownUser,
]);

function refusal(code: number): Failure {
  return ofCredentials.has(code) ? failure('SLP-AV-0104') : failure('SLP-AV-0105', `error ${code}`);
}
