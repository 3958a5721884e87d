import { BoundedMap, type Monotonic } from '#kernel';
import type { Dialog } from '#protocols/sip';
import type { Pair } from './gateway-store.ts';
import { PartnerCounts } from './partner-share.ts';

/** A session of messages (RFC 7573) by INVITE. */
export interface Session {
  state: 'inviting' | 'open';
  /** Once there is one. */
  dialog: Dialog | undefined;
  /** What waits for the session to open. */
  readonly waiting: Waiting[];
}

/** Called once with the session, or with the reason why there is none. */
export interface Waiting {
  readonly opened: (session: Session) => void;
  readonly failed: (why: SessionFailure) => void;
}

export type SessionFailure =
  /** The other side knows no sessions: the message may go alone. */
  | { readonly kind: 'not-supported' }
  | { readonly kind: 'status'; readonly status: number; readonly text?: string };

/** What two people have with one another at present. */
export interface Conversation extends Pair {
  /** What the XMPP side calls it; the Call-ID of the SIP side (RFC 7572 §4). */
  thread: string | undefined;
  /** The XMPP side writes messages of type chat. */
  chat: boolean;
  last: Monotonic;
  session: Session | undefined;
  /** The SIP side refused a session, or an indication of typing: it is not asked again. */
  withoutSessions: boolean;
  withoutTyping: boolean;
}

/** Conversations by their pair, and those that have a session by its dialog. */
export class Conversations {
  #all: BoundedMap<string, Conversation>;
  readonly #byDialog = new Map<string, Conversation>();
  readonly #held = new PartnerCounts();
  readonly #withSession = new PartnerCounts();
  #sessions = 0;

  constructor(capacity: number) {
    this.#all = new BoundedMap(capacity);
  }
  get size(): number {
    return this.#all.size;
  }
  /** Open, or being opened. */
  get sessions(): number {
    return this.#sessions;
  }
  /** Those of them with people where this one is. */
  sessionsWith(remote: string): number {
    return this.#withSession.of(remote);
  }
  all(): Conversation[] {
    return [...this.#all.values()];
  }
  of(pair: Pair): Conversation | undefined {
    return this.#all.get(keyOf(pair));
  }
  ofDialog(id: string): Conversation | undefined {
    return this.#byDialog.get(id);
  }

  /**
   * The conversation of these two, begun if there is none. The longest idle one without a session gives way: one of the
   * same domain when that has its share, else whichever.
   *
   * @param share conversations with people of one domain
   */
  open({ local, remote }: Pair, now: Monotonic, share: number): Conversation | undefined {
    const known = this.of({ local, remote });
    if (known !== undefined) {
      known.last = now;
      return known;
    }
    const own = this.#held.of(remote) >= share;
    if ((own || this.#all.full) && !this.#makeRoom(own ? remote : undefined)) return undefined;
    const begun: Conversation = {
      local,
      remote,
      thread: undefined,
      chat: false,
      last: now,
      session: undefined,
      withoutSessions: false,
      withoutTyping: false,
    };
    this.#all.set(keyOf(begun), begun);
    this.#held.add(remote);
    return begun;
  }
  begin(conversation: Conversation, session: Session): void {
    this.endSession(conversation);
    conversation.session = session;
    this.#sessions += 1;
    this.#withSession.add(conversation.remote);
  }
  /** The session has a dialog now. */
  join(conversation: Conversation, session: Session, dialog: Dialog): void {
    session.dialog = dialog;
    this.#byDialog.set(dialog.id, conversation);
  }
  endSession(conversation: Conversation): void {
    const { session } = conversation;
    if (session === undefined) return;
    conversation.session = undefined;
    this.#sessions -= 1;
    this.#withSession.remove(conversation.remote);
    if (session.dialog !== undefined) this.#byDialog.delete(session.dialog.id);
  }
  forget(conversation: Conversation): void {
    this.endSession(conversation);
    if (this.#all.delete(keyOf(conversation))) this.#held.remove(conversation.remote);
  }

  /** @param remote only conversations with people where this one is */
  #makeRoom(remote: string | undefined): boolean {
    const domain = remote?.slice(remote.lastIndexOf('@'));
    let oldest: Conversation | undefined;
    for (const candidate of this.#all.values()) {
      if (candidate.session !== undefined) continue;
      if (domain !== undefined && !candidate.remote.endsWith(domain)) continue;
      if (oldest === undefined || candidate.last < oldest.last) oldest = candidate;
    }
    if (oldest !== undefined) this.forget(oldest);
    return oldest !== undefined;
  }
}

function keyOf({ local, remote }: Pair): string {
  return `${local} ${remote}`;
}
