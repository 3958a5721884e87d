import { decodeOperation, encodeOperation } from '../framing/operations.ts';
import { annotationContainer, whiteboard } from '../meeting/annotations.ts';
import { content, contentManager, pptContent } from '../meeting/content.ts';
import { meeting } from '../meeting/meeting.ts';
import { poll } from '../meeting/poll.ts';
import { uploadManager, uploadStream } from '../meeting/upload.ts';
import type { DistributedInterface } from '../objects/interface.ts';
import type { DistributedObject } from '../objects/object-table.ts';
import type { ParameterValue } from '../objects/parameters.ts';
import { PsomPeer } from '../objects/peer.ts';

const LIMITS = { frameBytes: 65_535, frameMs: 10_000, objects: 4_096, depth: 5, nameLength: 64 };
const children = [
  ...[contentManager, content, pptContent, annotationContainer, whiteboard, poll],
  ...[uploadManager, uploadStream],
];
const MANAGER = 'ContentManager';
const UPLOADS = 'ContentManager/UploadManager';

type Call = readonly [method: string, ...parameters: ParameterValue[]];

interface StoredAnnotation {
  readonly userId: number;
  readonly page: number;
  readonly number: number;
  /** kind, colour, width */
  readonly look: readonly [number, number, number];
  points: readonly number[];
  readonly text: string;
}
export interface StoredContent {
  readonly id: number;
  readonly type: string;
  readonly ownerId: number;
  title: string;
  order: number;
  location: string;
  readonly slides: Map<number, Uint8Array>;
  readonly annotations: Map<string, StoredAnnotation>;
  question: readonly [string, readonly string[], boolean];
  open: boolean;
  readonly votes: Map<number, readonly number[]>;
  readonly file: Uint8Array | undefined;
}
interface Upload {
  readonly contentId: number;
  readonly slide: number;
  readonly length: number;
  readonly title: string;
  readonly bytes: number[];
}

/**
 * A meeting in which everybody may do everything: the other side of a `MeetingView` in its tests, written from
 * docs/protocols/psom.md with no policy, no bounds and nothing kept.
 */
export class SimpleMeeting {
  readonly title = 'A meeting';
  locked = false;
  active = 0;
  readonly users = new Map<number, { name: string; presenter: boolean }>();
  readonly contents = new Map<number, StoredContent>();
  readonly connections = new Set<SimpleConnection>();
  readonly tokens = new Map<string, number>();
  /** What an upload stream is granted at first. */
  grant = 10_000;
  /** Whether those who come are presenters. */
  presenters = false;
  /** Names a file; by default by its first bytes, as nobody fetches anything in most tests. */
  hash: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes.subarray(0, 32);
  #serial = 0;

  next(): number {
    return ++this.#serial;
  }
  /** A new participant; gives the token to join with. */
  admit(name: string): string {
    const userId = this.next();
    const token = `join ${userId}`;
    this.tokens.set(token, userId);
    this.users.set(userId, { name, presenter: this.presenters });
    this.tell('', 'cUserJoined', userId, name, this.presenters, false);
    return token;
  }
  connect(): SimpleConnection {
    const connection = new SimpleConnection(this);
    this.connections.add(connection);
    return connection;
  }
  /** Calls everybody's object of this path, as far as they have connected it; the root's is empty. */
  tell(path: string, ...call: Call): void {
    for (const connection of this.connections) connection.tell(path, call);
  }
  end(): void {
    this.tell('', 'cEnded');
  }
}

/** One participant's connection, from the server's side. */
export class SimpleConnection {
  readonly #meeting: SimpleMeeting;
  readonly #peer = new PsomPeer({ side: 'server', root: meeting, interfaces: children, limits: LIMITS });
  readonly #objects = new Map<string, DistributedObject>();
  readonly #reserved = new Map<number, string>();
  readonly #uploads = new Map<number, Upload>();
  readonly #streams = new Map<DistributedObject, number>();
  #userId = 0;
  #output: Uint8Array[] = [];

  constructor(whole: SimpleMeeting) {
    this.#meeting = whole;
  }
  get joined(): boolean {
    return this.#userId !== 0;
  }
  takeOutput(): Uint8Array[] {
    return [...this.#output.splice(0), ...this.#peer.takeOutput()];
  }
  close(): void {
    this.#meeting.connections.delete(this);
  }
  /** Whole frames, the first of them by itself. */
  handleBytes(bytes: Uint8Array): void {
    if (this.#userId === 0) return this.#handleJoin(bytes);
    for (const event of this.#peer.handleBytes(bytes, 0)) {
      if (event.kind === 'failed') throw new Error(`the client sent what is ${event.fault}`);
      if (event.kind === 'connected') this.#handleConnected(event.object);
      if (event.kind === 'disconnected') this.#objects.delete(pathOf(event.object));
      if (event.kind === 'called') this.#handleCalled(event.object, event.method, event.parameters);
    }
  }
  tell(path: string, call: Call): void {
    const object = path === '' ? this.#peer.root : this.#objects.get(path);
    if (this.#userId !== 0 && object !== undefined) this.#call(object, call);
  }

  #handleJoin(bytes: Uint8Array): void {
    const join = decodeOperation(bytes.subarray(2));
    if (join?.kind !== 'join') throw new Error('the first frame is no JOIN');
    const { tokens, users, title, locked } = this.#meeting;
    const userId = tokens.get(join.token);
    tokens.delete(join.token);
    if (userId === undefined) {
      this.#output.push(encodeOperation({ kind: 'refused', reason: 'used', retrySeconds: 0 }));
      return;
    }
    this.#userId = userId;
    const resumeToken = `resume ${userId} ${this.#meeting.next()}`;
    tokens.set(resumeToken, userId);
    this.#output.push(encodeOperation({ kind: 'joined', resumeToken }));
    const say = (...call: Call) => this.#call(this.#peer.root, call);
    say('cSetSelf', userId, users.get(userId)?.presenter ?? false);
    say('cSetTitle', title);
    say('cSetLocked', locked);
    for (const [id, { name, presenter }] of users) say('cUserJoined', id, name, presenter, false);
    say('cSetContentToken', 'content');
    say('cConnectCompleted');
  }

  #handleConnected(object: DistributedObject): void {
    this.#objects.set(pathOf(object), object);
    const say = (...call: Call) => this.#call(object, call);
    const stored = this.#contentOf(object);
    if (object.interface === uploadManager) return say('cSetAvailableSpace', 1_000_000);
    if (object.interface === contentManager) {
      for (const { id, type } of this.#meeting.contents.values()) say('cContentAdded', id, type);
      say('cSetActiveContent', this.#meeting.active);
    } else if (stored !== undefined) this.#replay(object.interface, stored, say);
    say('cConnectCompleted');
  }
  #replay(declared: DistributedInterface, stored: StoredContent, say: (...call: Call) => void): void {
    if (declared === content) {
      say('cSetTitle', stored.title);
      say('cSetOwnerId', stored.ownerId);
      say('cSetPresentationOrder', stored.order);
      if (stored.file !== undefined) say(...this.#fileInfo(stored.title, stored.file));
    } else if (declared === pptContent) {
      say('cSetSlideCount', stored.slides.size);
      for (const [slide, bytes] of stored.slides) say(...this.#slideInfo(slide, bytes));
      say('cSetLocation', stored.location);
    } else if (declared === poll) {
      say('cSetQuestion', ...stored.question);
      say('cSetOpen', stored.open);
      say('cSetOwnVote', stored.votes.get(this.#userId) ?? []);
      say(...results(stored));
    } else if (declared === annotationContainer) {
      for (const one of stored.annotations.values()) say(...added(one));
    }
  }

  #handleCalled(object: DistributedObject, method: string, p: readonly ParameterValue[]): void {
    const stored = this.#contentOf(object);
    const path = pathOf(object);
    if (object.interface === uploadStream) this.#handleChunk(object, p[0] as Uint8Array);
    else if (object.interface === uploadManager) this.#handleUpload(method, p);
    else if (stored === undefined) this.#handleManager(method, p);
    else if (object.interface === annotationContainer) this.#handleDrawing(stored, path, method, p);
    else this.#handleContent(stored, path, method, p);
  }

  #handleManager(method: string, p: readonly ParameterValue[]): void {
    const whole = this.#meeting;
    if (method === 'sSetLocked') {
      whole.locked = p[0] as boolean;
      whole.tell('', 'cSetLocked', whole.locked);
    } else if (method === 'sSetPresenter') {
      const user = whole.users.get(p[0] as number);
      if (user === undefined) return;
      user.presenter = p[1] as boolean;
      whole.tell('', 'cUserChanged', p[0] as number, user.presenter);
    } else if (method === 'sReserveTitle') {
      const [title, cookie] = p as [string, number];
      const taken = [...whole.contents.values()].some((one) => one.title === title);
      if (!taken) this.#reserved.set(cookie, title);
      this.tell(MANAGER, ['cReserveTitleCompleted', taken ? 3 : 1, cookie, 0, 0]);
    } else if (method === 'sCreateContent') {
      this.#create(p[1] as string, p[0] as number, undefined);
    } else if (method === 'sRemoveUser' && whole.users.delete(p[0] as number)) {
      whole.tell('', 'cUserLeft', p[0] as number);
    } else if (method === 'sEnd') {
      whole.end();
    } else if (method === 'sDeleteContent' && whole.contents.delete(p[0] as number)) {
      whole.tell(MANAGER, 'cContentRemoved', p[0] as number);
    }
  }
  #create(type: string, cookie: number, file: Uint8Array | undefined): void {
    const id = this.#meeting.next();
    const title = this.#reserved.get(cookie) ?? '';
    this.#meeting.contents.set(id, {
      ...{ id, type, title, ownerId: this.#userId, order: id, location: '1', file, open: false },
      ...{ slides: new Map(), annotations: new Map(), votes: new Map() },
      question: ['', [], false],
    });
    this.tell(MANAGER, ['cContentCreated', id, cookie]);
    this.#meeting.tell(MANAGER, 'cContentAdded', id, type);
  }

  #handleContent(stored: StoredContent, path: string, method: string, p: readonly ParameterValue[]): void {
    const tell = (...call: Call) => this.#meeting.tell(path, ...call);
    if (method === 'sSetTitle') {
      stored.title = p[0] as string;
      tell('cSetTitle', stored.title);
      this.tell(path, ['cSetTitleComplete', 0, stored.title]);
    } else if (method === 'sMakeHighestPresentationOrder') {
      stored.order = this.#meeting.next();
      tell('cSetPresentationOrder', stored.order);
    } else if (method === 'sPresent') {
      this.#meeting.active = stored.id;
      this.#meeting.tell(MANAGER, 'cSetActiveContent', stored.id);
      this.#meeting.tell(MANAGER, 'cSetActivePresenter', this.#userId);
    } else if (method === 'sStopPresenting') {
      this.#meeting.active = 0;
      this.#meeting.tell(MANAGER, 'cSetActiveContent', 0);
    } else if (method === 'sSetVisibility') {
      tell('cSetVisibility', p[0] as number);
    } else if (method === 'sSetLocation') {
      stored.location = p[0] as string;
      tell('cSetLocation', stored.location);
    } else if (method === 'sSetQuestion') {
      stored.question = p as [string, string[], boolean];
      tell('cSetQuestion', ...stored.question);
      tell(...results(stored));
    } else if (method === 'sSetOpen') {
      stored.open = p[0] as boolean;
      tell('cSetOpen', stored.open);
    } else if (method === 'sSetResultsShown') {
      tell('cSetResultsShown', p[0] as boolean);
    } else if (method === 'sVote') {
      stored.votes.set(this.#userId, p[0] as number[]);
      this.tell(path, ['cSetOwnVote', p[0] as number[]]);
      tell(...results(stored));
    }
  }

  #handleDrawing(stored: StoredContent, path: string, method: string, p: readonly ParameterValue[]): void {
    const { annotations } = stored;
    const userId = this.#userId;
    const tell = (...call: Call) => this.#meeting.tell(path, ...call);
    const erase = (one: StoredAnnotation | undefined) => {
      if (one === undefined) return;
      annotations.delete(`${one.userId} ${one.number}`);
      tell('cErased', one.userId, one.number);
    };
    if (method === 'sAdd') {
      const [page, number, kind, colour, width] = p as number[] as [number, number, number, number, number];
      const [points, text] = p.slice(5) as [number[], string];
      const one: StoredAnnotation = { userId, page, number, look: [kind, colour, width], points, text };
      annotations.set(`${userId} ${number}`, one);
      tell(...added(one));
    } else if (method === 'sExtend') {
      const one = annotations.get(`${userId} ${p[0]}`);
      if (one === undefined) return;
      one.points = [...one.points, ...(p[1] as number[])];
      tell('cExtended', userId, one.number, p[1] as number[]);
    } else if (method === 'sErase') {
      erase(annotations.get(`${p[0]} ${p[1]}`));
    } else if (method === 'sUndo') {
      erase([...annotations.values()].findLast((one) => one.userId === userId));
    } else if (method === 'sClear') {
      for (const [key, one] of annotations) if (one.page === p[0]) annotations.delete(key);
      tell('cCleared', p[0] as number);
    } else if (method === 'sPoint') tell('cPointed', userId, ...(p as [number, number, number]));
  }

  #handleUpload(method: string, p: readonly ParameterValue[]): void {
    if (method === 'sUploadFinished') return this.#finish(p[0] as number, p[1] as boolean);
    const cookie = p.at(-1) as number;
    const [contentId, slide, length] = (method === 'sRequestSlideUpload' ? p : [0, 0, p[0]]) as number[];
    const title = this.#reserved.get(cookie) ?? '';
    this.#uploads.set(cookie, {
      ...{ contentId: contentId ?? 0, slide: slide ?? 0, length: length ?? 0, title, bytes: [] },
    });
    const manager = this.#objects.get(UPLOADS);
    const stream = manager && this.#peer.connect(manager, `stream.${cookie}`, uploadStream);
    if (stream === undefined) return;
    this.#streams.set(stream, cookie);
    this.#call(stream, ['cGrant', this.#meeting.grant]);
    this.tell(UPLOADS, ['cAcceptUpload', cookie, stream.proxy]);
  }
  #handleChunk(stream: DistributedObject, chunk: Uint8Array): void {
    const upload = this.#uploads.get(this.#streams.get(stream) ?? 0);
    if (upload === undefined) return;
    upload.bytes.push(...chunk);
    this.#call(stream, ['cGrant', chunk.length]);
  }
  #finish(cookie: number, cancel: boolean): void {
    const upload = this.#uploads.get(cookie);
    this.#uploads.delete(cookie);
    if (upload === undefined) return;
    const reason = cancel ? 6 : upload.bytes.length === upload.length ? 0 : 4;
    this.tell(UPLOADS, ['cUploadFinished', cookie, reason]);
    if (reason !== 0) return;
    const bytes = Uint8Array.from(upload.bytes);
    if (upload.slide === 0) return this.#create('Content.NativeFileOnly', cookie, bytes);
    this.#meeting.contents.get(upload.contentId)?.slides.set(upload.slide, bytes);
    const path = `${MANAGER}/content.${upload.contentId}/extendedContent`;
    this.#meeting.tell(path, ...this.#slideInfo(upload.slide, bytes));
  }

  #slideInfo(slide: number, bytes: Uint8Array): Call {
    return ['cSetSlideJpegInfo', slide, '', new Uint8Array(), new Uint8Array(), this.#meeting.hash(bytes)];
  }
  #fileInfo(name: string, bytes: Uint8Array): Call {
    const none = new Uint8Array();
    return ['cSetNativeFileInfo', name, none, none, this.#meeting.hash(bytes), bytes.length];
  }
  #call(object: DistributedObject, [method, ...parameters]: Call): void {
    this.#peer.call(object, method, parameters);
  }
  #contentOf(object: DistributedObject): StoredContent | undefined {
    const id = /content\.(\d+)/.exec(pathOf(object))?.[1];
    return id === undefined ? undefined : this.#meeting.contents.get(Number(id));
  }
}

function pathOf(object: DistributedObject): string {
  const above = object.parent === undefined ? '' : pathOf(object.parent);
  return above === '' ? object.name : `${above}/${object.name}`;
}
function added({ userId, page, number, look, points, text }: StoredAnnotation): Call {
  return ['cAdded', userId, page, number, ...look, points, text];
}
function results({ question, votes }: StoredContent): Call {
  const counts = question[1].map((_, choice) => [...votes.values()].filter((v) => v.includes(choice)).length);
  return ['cSetResults', counts, votes.size];
}
