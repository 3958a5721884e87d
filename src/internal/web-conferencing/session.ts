import type { Cancel, Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import {
  type DistributedObject,
  encodeOperation,
  meetingInterfaces,
  type PsomEvent,
  PsomPeer,
  type SharedCall,
} from '#protocols/psom';
import type { Meeting } from './meeting/meeting.ts';
import type { Participant } from './meeting/participant.ts';
import type { AnyObject, Seat } from './meeting/shared-object.ts';
import { Pace, POINT } from './pace.ts';

export interface SessionOptions {
  readonly clock: Clock;
  readonly meeting: Meeting;
  readonly participant: Participant;
  readonly connection: Connection;
  readonly limits: SessionLimits;
  /** There is something to send, once what happened is written down. */
  readonly onOutput: (session: Session) => void;
  readonly onClosed: (session: Session, reason: CloseReason) => void;
}
export interface SessionLimits {
  /** Calls a second that a participant may make for long; five times as many at once. */
  readonly callsPerSecond: number;
  /** Bytes that may wait for a participant. */
  readonly waitingBytes: number;
}

/** Of a connection's objects: contents with all that hangs below them, and uploads. */
const MOST_OBJECTS = 4096;
const peerLimits = { frameBytes: 65_535, frameMs: 10_000, objects: MOST_OBJECTS, depth: 5, nameLength: 64 };
/** The state of the next object is told when less than this waits, so that a slow reader makes nobody hold it all. Bytes. */
const REPLAY_BYTES = 262_144;
/** What may have come while calls wait for their turn. Bytes. */
const HELD_BYTES = 1_048_576;
const PAUSE_MS = 100;
/** Of one participant, before the others have their turn. */
const EVENTS_A_TURN = 50;
/** Where others point is told while less than this waits, and at most of so many. Bytes. */
const PASSING_BYTES = 16_384;
const MOST_PASSING = 1000;
/** Nobody is heard while so much waits for them: what they say may lead to more. Bytes. */
const UNREAD_BYTES = 1_048_576;

type CalledEvent = Extract<PsomEvent, { kind: 'called' }>;

/** One connection of a participant after its JOIN: objects by identifier on one side, objects of the meeting on the other. */
export class Session implements Seat {
  readonly participant: Participant;
  readonly meeting: Meeting;
  readonly #options: SessionOptions;
  readonly #peer: PsomPeer;
  readonly #pace: Pace;
  readonly #handles = new Map<AnyObject, DistributedObject>();
  readonly #objects = new Map<DistributedObject, AnyObject>();
  /** Those whose state was told; what happens to the others is told with their state. */
  readonly #told = new Set<AnyObject>();
  readonly #toldBefore = new WeakSet<AnyObject>();
  readonly #waiting = new Set<AnyObject>();
  /** What passes and is not told yet, by object and key. */
  readonly #passing = new Map<string, { readonly handle: DistributedObject; readonly call: SharedCall }>();
  /** Where this participant points, while it has pointed too often; the latest of it is told. */
  #pointed: CalledEvent | undefined;
  #arrived: Buffer[] = [];
  #held = 0;
  /** Of states, as far as they may wait yet. */
  #stateBytes = 0;
  #events: Generator<PsomEvent> | undefined;
  #cancelPause: Cancel | undefined;
  #cancelPoint: Cancel | undefined;
  /** Is not heard until it has read. */
  #deaf = false;
  #renewedBy: object | undefined;
  #renewals = 0;
  #greeting: Uint8Array | undefined;
  #state: 'open' | 'ending' | 'closed' = 'open';

  constructor(options: SessionOptions) {
    const { meeting, participant, clock, limits } = options;
    this.#options = options;
    this.meeting = meeting;
    this.participant = participant;
    const interfaces = meetingInterfaces.slice(1);
    this.#peer = new PsomPeer({ side: 'server', root: meeting.declared, interfaces, limits: peerLimits });
    this.#pace = new Pace(limits.callsPerSecond, clock.now());
  }
  /** To be called once, when it has its seat. */
  open(resumeToken: string): void {
    const { connection } = this.#options;
    this.#greeting = encodeOperation({ kind: 'joined', resumeToken });
    this.#bind(this.meeting, this.#peer.root);
    connection.onData = (chunk) => this.#handleData(chunk);
    connection.onDrain = () => {
      this.#stateBytes = 0;
      this.#touch();
    };
    connection.onClose = (reason) => this.#handleClosed(reason);
    this.#touch();
  }
  get waitingBytes(): number {
    return this.#options.connection.queued + this.#peer.outputBytes;
  }
  get objectCount(): number {
    return this.#peer.objectCount;
  }

  tell(object: AnyObject, call: SharedCall): void {
    const handle = this.#told.has(object) ? this.#handles.get(object) : undefined;
    if (handle === undefined || this.#state !== 'open') return;
    if (this.#peer.callShared(handle, call)) this.#touch();
  }
  tellPassing(object: AnyObject, key: number, call: SharedCall): void {
    const handle = this.#told.has(object) ? this.#handles.get(object) : undefined;
    if (handle === undefined || this.#state !== 'open') return;
    const name = `${handle.proxy} ${key}`;
    if (this.#passing.size >= MOST_PASSING && !this.#passing.has(name)) return;
    this.#passing.set(name, { handle, call });
    this.#touch();
  }
  drop(object: AnyObject): void {
    const handle = this.#handles.get(object);
    if (handle === undefined) return;
    this.#peer.disconnect(handle);
    for (const [one, other] of [...this.#handles]) if (!other.open) this.#unbind(one, other);
    this.#touch();
  }
  offer(parent: AnyObject, name: string, object: AnyObject): number | undefined {
    const above = this.#handles.get(parent);
    const handle = above && this.#peer.connect(above, name, object.declared);
    if (handle === undefined) return undefined;
    this.#handles.set(object, handle);
    this.#objects.set(handle, object);
    this.#told.add(object);
    this.#touch();
    return handle.proxy;
  }
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#touch();
  }

  /** Sends what there is. What it tells has been written down. */
  flush(): void {
    const { connection, limits } = this.#options;
    if (this.#state === 'closed') return;
    do {
      this.#tellWaiting();
      this.#tellPassing();
      const frames = this.#peer.takeOutput();
      if (this.#greeting !== undefined) frames.unshift(this.#greeting);
      this.#greeting = undefined;
      if (frames.length === 1 && frames[0] !== undefined) connection.write(frames[0]);
      else if (frames.length > 1) connection.write(Buffer.concat(frames));
    } while (this.#waiting.size > 0 && connection.queued < REPLAY_BYTES && this.#state === 'open');
    if (this.#state === 'ending') {
      connection.end('shutdown');
      return this.#handleClosed('shutdown');
    }
    // A state has to be told, however long it is.
    if (connection.queued === 0) this.#stateBytes = 0;
    if (connection.queued - this.#stateBytes > limits.waitingBytes) this.destroy('slow-reader');
    else if (this.#deaf && connection.queued < UNREAD_BYTES) this.#hear();
  }
  destroy(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#options.connection.destroy(reason);
    this.#handleClosed(reason);
  }
  /**
   * Gives its participant tokens by another key, once, and asks whether they have come: whoever answers has read them.
   * @param by what the participant's tokens are by then
   */
  renewTokens(by: object, resumeToken: () => string): void {
    // Before its state nothing is told; the next look is soon enough.
    if (this.#state !== 'open' || this.#renewedBy === by || !this.#told.has(this.meeting)) return;
    this.#renewedBy = by;
    this.#renewals += 1;
    this.meeting.renewTokens(this, resumeToken());
    this.#peer.ping(this.#renewals);
    this.#touch();
  }
  /** To be called about once a second. */
  handleTime(): void {
    for (const event of this.#peer.handleTime(this.#options.clock.now())) this.#handleEvent(event);
  }

  #tellWaiting(): void {
    for (const object of this.#waiting) {
      if (this.#state !== 'open' || this.waitingBytes >= REPLAY_BYTES) return;
      this.#tellState(object);
    }
  }
  #tellPassing(): void {
    if (this.#passing.size === 0 || this.waitingBytes >= PASSING_BYTES) return;
    for (const { handle, call } of this.#passing.values()) this.#peer.callShared(handle, call);
    this.#passing.clear();
  }
  #tellState(object: AnyObject): void {
    const before = this.#peer.outputBytes;
    this.#waiting.delete(object);
    this.#told.add(object);
    object.replay(this);
    const bytes = this.#peer.outputBytes - before;
    this.#stateBytes += bytes;
    // Once belongs to coming in; who connects it again and again makes work for everybody.
    if (this.#toldBefore.has(object)) this.#pace.chargeAgain(bytes, this.#options.clock.now());
    this.#toldBefore.add(object);
  }

  #handleData(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#arrived.push(chunk);
    this.#held += chunk.length;
    if (this.#held > HELD_BYTES) return this.destroy('limit');
    if (this.#cancelPause === undefined && !this.#deaf) this.#read();
  }
  /** Reads as much as this participant may say now; the rest waits its turn, and behind it the connection. */
  #read(): void {
    const { clock } = this.#options;
    for (let heard = 0; this.#state === 'open'; heard++) {
      if (!this.#isNext()) return;
      if (this.waitingBytes >= UNREAD_BYTES) {
        this.#deaf = true;
        return this.#options.connection.pause();
      }
      if (!this.#pace.admits(clock.now())) return this.#readLater((read) => clock.after(PAUSE_MS, read));
      if (heard >= EVENTS_A_TURN) return this.#readLater(nextTurn);
      const next = this.#events?.next();
      if (next === undefined || next.done === true) this.#events = undefined;
      else {
        this.#pace.charge(next.value, clock.now());
        this.#handleEvent(next.value);
      }
      if (this.#peer.outputBytes > 0) this.#touch();
    }
  }
  /** Whether there is something to read. */
  #isNext(): boolean {
    const chunk = this.#events === undefined ? this.#arrived.shift() : undefined;
    if (chunk !== undefined) {
      this.#held -= chunk.length;
      this.#events = this.#peer.handleBytes(chunk, this.#options.clock.now());
    }
    return this.#events !== undefined;
  }
  #readLater(plan: (read: () => void) => Cancel): void {
    const { connection } = this.#options;
    connection.pause();
    this.#cancelPause = plan(() => {
      this.#cancelPause = undefined;
      connection.resume();
      this.#read();
    });
  }
  /** Not at once: what it says is written down before it leads to anything, and this is the time of telling. */
  #hear(): void {
    this.#deaf = false;
    queueMicrotask(() => {
      if (this.#state !== 'open' || this.#deaf || this.#cancelPause !== undefined) return;
      this.#options.connection.resume();
      this.#read();
    });
  }
  #handleEvent(event: PsomEvent): void {
    // Whoever speaks has had the token that came with JOINED.
    this.participant.confirmed = true;
    switch (event.kind) {
      case 'connected':
        return this.#handleConnected(event.object);
      case 'disconnected': {
        const object = this.#objects.get(event.object);
        if (object === undefined) return;
        this.#unbind(object, event.object);
        return object.handleGone(this);
      }
      case 'called':
        return this.#handleCalled(event);
      case 'pong':
        if (this.#renewedBy !== undefined && event.cookie === this.#renewals)
          this.participant.tokensBy = this.#renewedBy;
        return;
      case 'failed':
        return this.destroy('protocol');
    }
  }
  #handleCalled(event: CalledEvent): void {
    if (event.method !== POINT) return this.#call(event);
    this.#pointed = event;
    this.#point();
  }
  /** Tells where it points now, or as soon as it may. */
  #point(): void {
    const { clock } = this.#options;
    if (this.#pointed === undefined || this.#state !== 'open') return;
    if (this.#pace.admitsPointer(clock.now())) {
      const event = this.#pointed;
      this.#pointed = undefined;
      return this.#call(event);
    }
    this.#cancelPoint ??= clock.after(PAUSE_MS, () => {
      this.#cancelPoint = undefined;
      this.#point();
    });
  }
  #call({ object: handle, method, parameters }: CalledEvent): void {
    const object = this.#objects.get(handle);
    if (object === undefined) return;
    // What is answered to the call comes behind the state.
    if (this.#waiting.has(object)) this.#tellState(object);
    object.handle(this, method, parameters);
  }
  #handleConnected(handle: DistributedObject): void {
    const parent = handle.parent && this.#objects.get(handle.parent);
    const object = parent?.child(handle.name, this);
    if (object === undefined || !object.isFor(this)) return this.#peer.disconnect(handle, 'no-such-child');
    if (object.declared !== handle.interface) return this.#peer.disconnect(handle, 'other-interface');
    if (this.#handles.has(object)) return this.#peer.disconnect(handle, 'too-many');
    this.#bind(object, handle);
  }
  #bind(object: AnyObject, handle: DistributedObject): void {
    this.#handles.set(object, handle);
    this.#objects.set(handle, object);
    this.#waiting.add(object);
    this.#touch();
  }
  #unbind(object: AnyObject, handle: DistributedObject): void {
    this.#handles.delete(object);
    this.#objects.delete(handle);
    this.#told.delete(object);
    this.#waiting.delete(object);
  }
  #touch(): void {
    if (this.#state !== 'closed') this.#options.onOutput(this);
  }
  #handleClosed(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#close();
    this.#options.onClosed(this, reason);
  }
  #close(): void {
    this.#state = 'closed';
    this.#cancelPause?.();
    this.#cancelPoint?.();
    this.#passing.clear();
    this.#arrived = [];
    this.#events = undefined;
  }
}

function nextTurn(read: () => void): Cancel {
  const planned = setImmediate(read);
  return () => clearImmediate(planned);
}
