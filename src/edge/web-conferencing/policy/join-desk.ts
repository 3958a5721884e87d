import { BoundedMap, err, type Monotonic, ok, type Result } from '#kernel';
import type { ServiceNode } from '#platform/psom-link';
import {
  type ConferenceClaims,
  type ConferencePurpose,
  type ConferenceTokenError,
  nodeOfConferenceToken,
  openConferenceToken,
} from '#protocols/tokens';
import type { Refusal } from './refusals.ts';

export interface DeskLimits {
  readonly participants: number;
  readonly participantsPerSource: number;
  readonly refusalsPerMinute: number;
}

/** A token that is good, and the node that it names. */
export interface Admitted {
  readonly claims: ConferenceClaims;
  readonly node: ServiceNode;
}

const MINUTE = 60_000;
/** Sources that are remembered for what was refused to them. */
const SOURCES = 10_000;
/** Serials of join tokens that were shown here; each is forgotten when its token has expired. */
const SERIALS = 100_000;

const TOKEN_REFUSALS: Readonly<Record<ConferenceTokenError, Refusal>> = {
  malformed: 'token-malformed',
  'unknown-key': 'token-forged',
  forged: 'token-forged',
  'other-purpose': 'token-other-purpose',
  expired: 'token-expired',
};
/** These say nothing against who showed the token. */
const BLAMELESS: ReadonlySet<Refusal> = new Set([
  'node-not-connected',
  'node-draining',
  'link-full',
  'too-many-participants',
  'too-many-from-source',
  'draining',
]);

/** Decides who comes in: pure but for what it remembers of sources and tokens. */
export class JoinDesk {
  readonly #nodeOf: (name: string) => ServiceNode | undefined;
  readonly #slowed = new BoundedMap<string, { refused: number; readonly until: Monotonic }>(SOURCES);
  /** By serial, when its token expires by the clock of its node. */
  readonly #shown = new BoundedMap<string, { readonly node: string; readonly expires: number }>(SERIALS);
  readonly #perSource = new Map<string, number>();
  #participants = 0;
  #limits: DeskLimits;

  constructor(limits: DeskLimits, nodeOf: (name: string) => ServiceNode | undefined) {
    this.#limits = limits;
    this.#nodeOf = nodeOf;
  }
  get participants(): number {
    return this.#participants;
  }
  configure(limits: DeskLimits): void {
    this.#limits = limits;
  }

  /** Who shows this token wants in: its claims, and one place taken, or why not. */
  admit(
    purpose: Exclude<ConferencePurpose, 'content'>,
    token: string,
    source: string,
    now: Monotonic,
  ): Result<Admitted, Refusal> {
    const { participants, participantsPerSource } = this.#limits;
    const opened = this.check(purpose, token, source, now);
    if (!opened.ok) return opened;
    const { claims, node } = opened.value;
    // Who was in already is brought back to a node that is leaving; nobody else is.
    if (node.state === 'draining' && purpose === 'join') return err('node-draining');
    if (this.#participants >= participants) return err('too-many-participants');
    const held = this.#perSource.get(source) ?? 0;
    if (held >= participantsPerSource) return err('too-many-from-source');
    if (purpose === 'join' && !this.#firstTime(claims, node.wall)) {
      this.blame('token-replayed', source, now);
      return err('token-replayed');
    }
    this.#participants += 1;
    this.#perSource.set(source, held + 1);
    return opened;
  }
  /** Gives back a place that `admit` took. */
  leave(source: string): void {
    this.#participants -= 1;
    const left = (this.#perSource.get(source) ?? 0) - 1;
    if (left > 0) this.#perSource.set(source, left);
    else this.#perSource.delete(source);
  }
  /** A join token that brought nobody anywhere may be shown again. */
  forget({ serial }: ConferenceClaims): void {
    this.#shown.delete(serial);
  }
  /** Whether a token is good for a purpose; takes nothing. */
  check(
    purpose: ConferencePurpose,
    token: string,
    source: string,
    now: Monotonic,
  ): Result<Admitted, Refusal> {
    const slowed = this.#slowed.get(source);
    if (slowed !== undefined && now < slowed.until && slowed.refused >= this.#limits.refusalsPerMinute) {
      return err('source-slowed');
    }
    const opened = this.#open(purpose, token);
    if (!opened.ok) this.blame(opened.error, source, now);
    return opened;
  }
  /** Counts a refusal against its source, if it is one that tells against it. */
  blame(reason: Refusal, source: string, now: Monotonic): void {
    if (BLAMELESS.has(reason)) return;
    const known = this.#slowed.get(source);
    if (known !== undefined && now < known.until) {
      known.refused += 1;
      return;
    }
    const [oldest] = this.#slowed.keys();
    if (this.#slowed.full && known === undefined && oldest !== undefined) this.#slowed.delete(oldest);
    this.#slowed.set(source, { refused: 1, until: now + MINUTE });
  }

  #open(purpose: ConferencePurpose, token: string): Result<Admitted, Refusal> {
    const name = nodeOfConferenceToken(token);
    if (name === undefined) return err('token-malformed');
    const node = this.#nodeOf(name);
    if (node === undefined) return err('node-not-connected');
    const opened = openConferenceToken(node.keys, purpose, token, node.wall);
    return opened.ok ? ok({ claims: opened.value, node }) : err(TOKEN_REFUSALS[opened.error]);
  }
  /** Remembers a join token; false when it was shown before, or when there are too many to remember. */
  #firstTime({ serial, node, expires }: ConferenceClaims, wall: number): boolean {
    if (this.#shown.has(serial)) return false;
    if (this.#shown.full) {
      for (const [shown, one] of this.#shown) {
        if (one.node === node && one.expires <= wall - MINUTE) this.#shown.delete(shown);
      }
    }
    return this.#shown.set(serial, { node, expires });
  }
}
