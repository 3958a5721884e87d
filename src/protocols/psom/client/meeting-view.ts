import type { Monotonic } from '#kernel';
import { decodeOperation, encodeOperation, type JoinKind } from '../framing/operations.ts';
import { meeting } from '../meeting/meeting.ts';
import { uploadManager, uploadStream } from '../meeting/upload.ts';
import type { DistributedObject } from '../objects/object-table.ts';
import { type PsomEvent, type PsomFault, type PsomLimits, PsomPeer } from '../objects/peer.ts';
import { MeetingCommands } from './meeting-commands.ts';
import { MeetingMirror, noFacts } from './mirror.ts';
import type { MeetingPhase, MeetingSnapshot } from './snapshot.ts';
import { Uploads } from './uploads.ts';

export interface MeetingViewOptions {
  /** There is something in `takeOutput` though nothing arrived: a command, or bytes of an upload. */
  readonly onOutput: () => void;
  /** Hears every call of the server as it comes, for those who measure. */
  readonly observe?: (event: PsomEvent) => void;
}

/** What a server may make this side hold. */
const limits: PsomLimits = {
  frameBytes: 65_535,
  frameMs: 10_000,
  objects: 8_192,
  depth: 5,
  nameLength: 64,
};
const VERSION = 1;
/** The first answer is a token or a reason. */
const LONGEST_ANSWER = 4_096;
/** With nothing heard for so long one asks, and with no answer after that the connection counts as gone. Milliseconds. */
const ASK_AFTER_MS = 8_000;
const GONE_AFTER_MS = 20_000;
/** Whoever says nothing counts as gone on the other side, too: one asks though one hears enough. */
const SPEAK_AFTER_MS = 30_000;

interface Session {
  readonly peer: PsomPeer;
  /** Undefined until JOINED. */
  mirror: MeetingMirror | undefined;
  /** What has come of the first answer. */
  held: Uint8Array;
  heard: Monotonic;
  asked: boolean;
  /** The last time at which it was seen that something had been said. */
  spoke: Monotonic;
  saidSomething: boolean;
}

/**
 * A participant's side of a meeting: joins by a token, mirrors the whole state from what the server tells, keeps it over a
 * drop and comes back by the resume token. Sans-IO, and it runs in a browser: bytes and `now` in, frames to send out of
 * `takeOutput`. `subscribe` and `snapshot` are what React's useSyncExternalStore asks for.
 */
export class MeetingView {
  readonly commands: MeetingCommands;
  readonly #options: MeetingViewOptions;
  readonly #uploads: Uploads;
  readonly #listeners = new Set<() => void>();
  readonly #streams = new Map<number, UploadGrants>();
  #session: Session | undefined;
  /** What is shown: the last whole state, while another is being told. */
  #shown: MeetingMirror | undefined;
  #phase: MeetingPhase = 'idle';
  #refusal: MeetingSnapshot['refusal'];
  #fault: PsomFault | undefined;
  #resumeToken: string | undefined;
  #output: Uint8Array[] = [];
  #snapshot: MeetingSnapshot | undefined;
  #dirty = false;

  constructor(options: MeetingViewOptions) {
    this.#options = options;
    this.#uploads = new Uploads({
      onChange: () => this.#touch(),
      onOutput: () => this.#sent(),
      openStream: (proxy, { cGrant }) => {
        const grants = this.#streams.get(proxy);
        const peer = this.#session?.peer;
        if (grants === undefined || peer === undefined) return undefined;
        grants.listen(cGrant);
        return peer.stub(grants.object, uploadStream.server);
      },
    });
    const live = () => {
      const { peer, mirror } = this.#session ?? {};
      return this.#phase === 'live' && peer !== undefined && mirror !== undefined
        ? { peer, mirror }
        : undefined;
    };
    this.commands = new MeetingCommands(live, this.#uploads, () => this.#sent());
  }

  /** Whether a session that broke off can be gone on with. */
  get canResume(): boolean {
    return this.#resumeToken !== undefined;
  }
  /** What was wrong with what the server of the last connection said. */
  get fault(): PsomFault | undefined {
    return this.#fault;
  }
  get phase(): MeetingPhase {
    return this.#phase;
  }

  /** A new connection is there: joins by the token of the conference. */
  join(token: string, now: Monotonic): void {
    this.#begin('conference', token, now);
  }
  /** A new connection is there: goes on with the session. @throws Error when there is none */
  resume(now: Monotonic): void {
    if (this.#resumeToken === undefined) throw new Error('there is no session to go on with');
    this.#begin('resume', this.#resumeToken, now);
  }

  handleBytes(bytes: Uint8Array, now: Monotonic): void {
    const session = this.#session;
    if (session === undefined) return;
    session.heard = now;
    session.asked = false;
    const rest = session.mirror === undefined ? this.#handleAnswer(session, bytes) : bytes;
    if (rest === undefined || session !== this.#session) return this.#notify();
    for (const event of session.peer.handleBytes(rest, now)) this.#handleEvent(session, event);
    if (session.mirror !== undefined) this.commands.settle(session.mirror);
    this.#notify();
  }
  /** To be called about once a second: false when the connection has to be closed. */
  handleTime(now: Monotonic): boolean {
    const session = this.#session;
    if (session === undefined) return true;
    for (const event of session.peer.handleTime(now)) this.#handleEvent(session, event);
    const silent = now - session.heard;
    if (silent > GONE_AFTER_MS) this.#drop();
    else if (silent > ASK_AFTER_MS && session.mirror !== undefined && !session.asked) {
      session.asked = true;
      session.peer.ping(0);
    }
    if (session.saidSomething) session.spoke = now;
    else if (now - session.spoke > SPEAK_AFTER_MS && session.mirror !== undefined) session.peer.ping(0);
    session.saidSomething = false;
    this.#notify();
    return this.#session === session;
  }
  /** The connection is closed, from whichever side. */
  handleClosed(): void {
    this.#drop();
    this.#notify();
  }

  /** Frames to write, in order; they are the caller's from now on. */
  takeOutput(): Uint8Array[] {
    const frames = [...this.#output, ...(this.#session?.peer.takeOutput() ?? [])];
    this.#output = [];
    if (this.#session !== undefined && frames.length > 0) this.#session.saidSomething = true;
    return frames;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  /** The same object until something changes. */
  snapshot = (): MeetingSnapshot => {
    if (this.#snapshot === undefined) {
      const mirror = this.#shown ?? this.#session?.mirror;
      this.#snapshot = {
        ...(mirror?.view() ?? { ...noFacts, users: [], contents: [] }),
        ...{ phase: this.#phase, refusal: this.#refusal, uploads: this.#uploads.views },
      };
    }
    return this.#snapshot;
  };

  #begin(show: JoinKind, token: string, now: Monotonic): void {
    this.#drop();
    const peer = new PsomPeer({ side: 'client', root: meeting, interfaces: [uploadStream], limits });
    this.#session = { peer, mirror: undefined, held: new Uint8Array(), ...fresh(now) };
    this.#output = [encodeOperation({ kind: 'join', version: VERSION, show, token })];
    this.#fault = undefined;
    this.#refusal = undefined;
    this.#become('joining');
    this.#notify();
  }

  /** JOINED or REFUSED; gives what came behind it, undefined while there is nothing more to read. */
  #handleAnswer(session: Session, bytes: Uint8Array): Uint8Array | undefined {
    const held = new Uint8Array(session.held.length + bytes.length);
    held.set(session.held);
    held.set(bytes, session.held.length);
    session.held = held;
    if (held.length < 2) return undefined;
    const length = ((held[0] ?? 0) << 8) | (held[1] ?? 0);
    if (length > LONGEST_ANSWER) return this.#fail('frame-too-long');
    if (held.length < 2 + length) return undefined;
    session.held = new Uint8Array();
    const answer = decodeOperation(held.subarray(2, 2 + length));
    if (answer?.kind === 'refused') return this.#handleRefused(answer.reason, answer.retrySeconds);
    if (answer?.kind !== 'joined') return this.#fail('unexpected-operation');
    this.#resumeToken = answer.resumeToken;
    this.#become('replaying');
    session.mirror = this.#mirror(session);
    return held.subarray(2 + length);
  }
  #handleRefused(reason: NonNullable<MeetingSnapshot['refusal']>['reason'], retrySeconds: number): undefined {
    this.#session = undefined;
    this.#refusal = { reason, retrySeconds };
    // Only these pass; with any other this session is over.
    if (!(reason === 'no-service' || reason === 'slow-down' || (reason === 'full' && retrySeconds > 0)))
      this.#resumeToken = undefined;
    this.#become(reason === 'ended' ? 'ended' : 'refused');
  }

  #mirror(session: Session): MeetingMirror {
    const mirror = new MeetingMirror(session.peer, {
      onChange: () => this.#touch(),
      onComplete: () => this.#handleComplete(session),
      onResumeToken: (token) => {
        this.#resumeToken = token;
      },
      onEnded: () => this.#handleEnded(),
      onReserved: (status, cookie) => this.commands.handleReserved(status, cookie),
      onReleased: (cookie) => this.commands.handleReleased(cookie),
      onCreated: (contentId, cookie) => this.commands.handleCreated(contentId, cookie),
      onUpload: this.#uploads.handlers,
    });
    return mirror;
  }
  #handleComplete({ peer, mirror }: Session): void {
    const before = this.#shown;
    this.#shown = mirror;
    this.#become('live');
    if (mirror?.uploads !== undefined) this.#uploads.open(peer.stub(mirror.uploads, uploadManager.server));
    if (before !== undefined) this.commands.drawAgain(before);
  }
  #handleEnded(): void {
    this.#resumeToken = undefined;
    this.#drop();
    this.#become('ended');
  }

  #handleEvent(session: Session, event: PsomEvent): void {
    if (session !== this.#session) return;
    this.#options.observe?.(event);
    if (event.kind === 'failed') return this.#fail(event.fault);
    if (event.kind === 'connected') {
      const grants = new UploadGrants(event.object);
      this.#streams.set(event.object.proxy, grants);
      session.mirror?.adopt(event.object, uploadStream, { cGrant: (bytes) => grants.add(bytes) });
    } else if (event.kind === 'disconnected' && event.object.interface === uploadStream) {
      this.#streams.delete(event.object.proxy);
    }
    session.mirror?.handle(event);
  }

  #fail(fault: PsomFault): undefined {
    this.#fault = fault;
    this.#drop();
  }
  /** The connection is of no use any more; what was seen stays. */
  #drop(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    this.#output = [];
    this.#streams.clear();
    session.mirror?.close();
    this.#uploads.close();
    this.commands.close();
    this.#become('dropped');
  }
  #become(phase: MeetingPhase): void {
    this.#phase = phase;
    this.#touch();
  }
  #touch(): void {
    this.#snapshot = undefined;
    this.#dirty = true;
  }
  /** Commands change what is shown, too: what one draws. */
  #sent(): void {
    this.#options.onOutput();
    this.#notify();
  }
  #notify(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Of a connection that is new. */
function fresh(now: Monotonic): Pick<Session, 'heard' | 'asked' | 'spoke' | 'saidSomething'> {
  return { heard: now, asked: false, spoke: now, saidSomething: false };
}

/** What an upload's stream was granted; may come before the upload knows its stream. */
class UploadGrants {
  readonly object: DistributedObject;
  #early = 0;
  #listener: ((bytes: number) => void) | undefined;

  constructor(object: DistributedObject) {
    this.object = object;
  }
  add(bytes: number): void {
    if (this.#listener === undefined) this.#early += bytes;
    else this.#listener(bytes);
  }
  listen(listener: (bytes: number) => void): void {
    this.#listener = listener;
    if (this.#early > 0) listener(this.#early);
  }
}
