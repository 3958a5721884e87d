import { content, contentManager } from '../meeting/content.ts';
import { meeting } from '../meeting/meeting.ts';
import { uploadManager } from '../meeting/upload.ts';
import { dispatch } from '../objects/dispatch.ts';
import type { DistributedInterface, Handlers, Methods } from '../objects/interface.ts';
import type { DistributedObject } from '../objects/object-table.ts';
import type { PsomEvent, PsomPeer } from '../objects/peer.ts';
import { MirroredContent, type Tree } from './mirrored-content.ts';
import type { MeetingSnapshot, UserView } from './snapshot.ts';

const MOST_USERS = 20_000;

type CalledEvent = Extract<PsomEvent, { kind: 'called' }>;

type Facts = Omit<MeetingSnapshot, 'phase' | 'refusal' | 'uploads' | 'users' | 'contents'>;

/** Before anything was told. */
export const noFacts: Facts = {
  self: { userId: 0, presenter: false },
  ...{ title: '', locked: false, activeContent: 0, activePresenter: 0, contentToken: '' },
  availableSpace: undefined,
};

/** What the mirror tells its owner besides the state. */
export interface MirrorUser {
  readonly onChange: () => void;
  /** The whole state has been told; changes follow. */
  readonly onComplete: () => void;
  readonly onResumeToken: (token: string) => void;
  readonly onEnded: () => void;
  readonly onReserved: (status: number, cookie: number) => void;
  readonly onReleased: (cookie: number) => void;
  readonly onCreated: (contentId: number, cookie: number) => void;
  readonly onUpload: Pick<
    Handlers<(typeof uploadManager)['client']>,
    'cAcceptUpload' | 'cRejectUpload' | 'cUploadFinished'
  >;
}

/** The state of one meeting as one connection tells it, from the first word on. */
export class MeetingMirror {
  readonly #peer: PsomPeer;
  readonly #user: MirrorUser;
  readonly #listeners = new Map<DistributedObject, (event: CalledEvent) => void>();
  /** Objects whose state is not told yet; empty: the mirror is complete. */
  readonly #awaited = new Set<DistributedObject>();
  readonly #users = new Map<number, UserView>();
  readonly #contents = new Map<number, MirroredContent>();
  readonly manager: DistributedObject | undefined;
  readonly uploads: DistributedObject | undefined;
  #facts: Facts = noFacts;
  #complete = false;

  constructor(peer: PsomPeer, user: MirrorUser) {
    this.#peer = peer;
    this.#user = user;
    this.adopt(peer.root, meeting, this.#rootHandlers);
    this.#awaited.add(peer.root);
    this.manager = this.#tree.connect(peer.root, 'ContentManager', contentManager, this.#managerHandlers);
    if (this.manager === undefined) return;
    const { cAcceptUpload, cRejectUpload, cUploadFinished } = user.onUpload;
    this.uploads = peer.connect(this.manager, 'UploadManager', uploadManager);
    if (this.uploads === undefined) return;
    this.adopt(this.uploads, uploadManager, {
      ...{ cAcceptUpload, cRejectUpload, cUploadFinished },
      cSetAvailableSpace: (availableSpace: number) => this.#change({ availableSpace }),
    });
  }

  get complete(): boolean {
    return this.#complete;
  }
  contents(): Iterable<MirroredContent> {
    return this.#contents.values();
  }
  find(contentId: number): MirroredContent | undefined {
    return this.#contents.get(contentId);
  }
  get self(): { readonly userId: number; readonly presenter: boolean } {
    return this.#facts.self;
  }
  /** Hears what is called on an object from now on. */
  adopt<C extends Methods>(
    object: DistributedObject,
    _declared: DistributedInterface<Methods, C>,
    handlers: Handlers<C>,
  ): void {
    this.#listeners.set(object, (event) => dispatch(handlers, event));
  }

  handle(event: PsomEvent): void {
    if (event.kind === 'called') {
      this.#listeners.get(event.object)?.(event);
    } else if (event.kind === 'disconnected') this.#forget(event.object);
  }
  /** The connection is gone: whoever waits for an answer hears it. */
  close(): void {
    for (const one of this.#contents.values()) one.close();
  }

  /** What a snapshot takes from here. */
  view(): Omit<MeetingSnapshot, 'phase' | 'refusal' | 'uploads'> {
    const contents = [...this.#contents.values()].map((one) => one.view);
    contents.sort((a, b) => b.order - a.order || b.id - a.id);
    return { ...this.#facts, users: [...this.#users.values()], contents };
  }

  readonly #tree: Tree = {
    connect: (parent, name, declared, handlers) => {
      const object = this.#peer.connect(parent, name, declared);
      if (object === undefined) return undefined;
      this.adopt(object, declared, handlers);
      if (!this.#complete) this.#awaited.add(object);
      return object;
    },
    onChange: () => this.#user.onChange(),
    onCompleted: (object) => this.#completed(object),
  };

  readonly #rootHandlers: Handlers<(typeof meeting)['client']> = {
    cSetSelf: (userId, presenter) => this.#change({ self: { userId, presenter } }),
    cUserJoined: (userId, displayName, presenter, outside) => {
      if (this.#users.size >= MOST_USERS) return;
      this.#users.set(userId, { userId, displayName, presenter, outside });
      this.#user.onChange();
    },
    cUserChanged: (userId, presenter) => {
      const known = this.#users.get(userId);
      if (known === undefined) return;
      this.#users.set(userId, { ...known, presenter });
      if (userId === this.#facts.self.userId) this.#change({ self: { userId, presenter } });
      this.#user.onChange();
    },
    cUserLeft: (userId) => {
      this.#users.delete(userId);
      for (const one of this.#contents.values()) one.annotations?.forgetPointersOf(userId);
      this.#user.onChange();
    },
    cSetTitle: (title) => this.#change({ title }),
    cSetLocked: (locked) => this.#change({ locked }),
    cSetResumeToken: (token) => this.#user.onResumeToken(token),
    cSetContentToken: (contentToken) => this.#change({ contentToken }),
    cConnectCompleted: () => this.#completed(this.#peer.root),
    cEnded: () => this.#user.onEnded(),
  };

  readonly #managerHandlers: Handlers<(typeof contentManager)['client']> = {
    cContentAdded: (contentId, type) => {
      if (this.manager === undefined || this.#contents.has(contentId)) return;
      this.#contents.set(contentId, new MirroredContent(contentId, type, this.manager, this.#tree));
      this.#user.onChange();
    },
    cContentCreated: (contentId, cookie) => this.#user.onCreated(contentId, cookie),
    cContentRemoved: (contentId) => this.#remove(contentId),
    cReserveTitleCompleted: (status, cookie) => this.#user.onReserved(status, cookie),
    cSetActiveContent: (activeContent) => this.#change({ activeContent }),
    cSetActivePresenter: (activePresenter) => this.#change({ activePresenter }),
    cTitleReleased: (cookie) => this.#user.onReleased(cookie),
    cConnectCompleted: () => {
      if (this.manager !== undefined) this.#completed(this.manager);
    },
  };

  #remove(contentId: number): void {
    const removed = this.#contents.get(contentId);
    if (removed === undefined) return;
    this.#contents.delete(contentId);
    removed.close();
    for (const object of [removed.container, removed.extended, removed.object]) {
      if (object !== undefined) this.#forgetObject(object);
    }
    if (removed.object !== undefined) this.#peer.disconnect(removed.object);
    this.#user.onChange();
  }
  /** The server took an object away, or never had it. */
  #forget(object: DistributedObject): void {
    this.#forgetObject(object);
    if (object.interface !== content) return;
    for (const [id, one] of this.#contents) if (one.object === object) this.#remove(id);
  }
  #forgetObject(object: DistributedObject): void {
    this.#listeners.delete(object);
    this.#completed(object);
  }
  #completed(object: DistributedObject): void {
    if (!this.#awaited.delete(object) || this.#complete || this.#awaited.size > 0) return;
    this.#complete = true;
    this.#user.onComplete();
  }
  #change(part: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...part };
    this.#user.onChange();
  }
}
