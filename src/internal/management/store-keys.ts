import { type Clock, err, type Failure, failure, ok, type Random, type Result } from '#kernel';
import { mediaKeyText } from '#protocols/credentials';
import {
  type ActivatedKeys,
  type EdgeReport,
  makeActivation,
  parseManifest,
  type SignedText,
  type SigningKey,
  sha256,
} from '#protocols/replication';
import type { Database, Published, Secret } from './database.ts';
import {
  KEY_FILES,
  type KeyKind,
  keyKinds,
  keysOf,
  type ManagedEdge,
  noteWritten,
  writtenKey,
} from './policies.ts';
import { reportOf } from './status.ts';

/**
 * Keys that count beside the current one and the one that it replaces. Credentials live for a day at most; dialogs and
 * subscriptions live longer, and end with the key by which their routes were sealed.
 */
const KEPT_KEYS: Readonly<Record<KeyKind, number>> = { media: 2, flow: 4 };

export interface StoreKeysParts {
  readonly database: Database;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly random: Random;
  readonly edges: () => readonly ManagedEdge[];
}

/**
 * The keys of the store, and their rolls: one version makes a key known; when every edge runs that version or a later
 * one, the store signs an activation for each of them, and what is published does not change.
 */
export class StoreKeys {
  readonly #parts: StoreKeysParts;

  constructor(parts: StoreKeysParts) {
    this.#parts = parts;
  }

  /** The first keys, so that a new store has some to give, and one of before those that it did not know of. */
  prepare(): void {
    for (const kind of keyKinds) if (this.#keys(kind).length === 0) this.#make(kind, 'current');
  }

  /**
   * Makes keys that the edges are to know. They are used once all of them do: `advance` sees to that.
   * @returns their names, or a failure, and nothing made, while a roll of one of these kinds is still under way
   */
  roll(kinds: readonly KeyKind[]): Result<string[]> {
    const { database } = this.#parts;
    const waiting = kinds.flatMap((kind) => this.#keys(kind)).find((secret) => secret.state === 'next');
    if (waiting !== undefined) return err(failure('SLP-CFG-0024', waiting.name));
    return ok(
      database.store.transaction(() => {
        // The version that comes has those in its text that every edge uses by now, or may use without harm.
        for (const kind of keyKinds) noteWritten(kind, database, this.#current(kind));
        return kinds.map((kind) => {
          this.#forget(kind);
          return this.#make(kind, 'next');
        });
      }),
    );
  }
  #make(kind: KeyKind, state: 'current' | 'next'): string {
    const { database, random, clock } = this.#parts;
    const { prefix, extension } = KEY_FILES[kind];
    const material = random.bytes(32);
    const name = `${prefix}${sha256(material).slice(0, 12)}${extension}`;
    // Both kinds are one line of base64.
    database.keepSecret({ name, value: Buffer.from(mediaKeyText(material)), state, created: clock.wall() });
    return name;
  }
  /** Only here, where a version follows anyway: the policy has no other reason to change with its keys. */
  #forget(kind: KeyKind): void {
    const previous = this.#keys(kind).filter((one) => one.state === 'previous');
    for (const { name } of previous.slice(KEPT_KEYS[kind])) this.#parts.database.forgetSecret(name);
  }

  /** Keys that every edge knows by now are used from here on. True when the edges are to be told. */
  advance(): boolean {
    const { database, edges } = this.#parts;
    if (edges().length === 0) return false;
    const known = this.#next().filter(({ name }) =>
      edges().every((edge) => this.#hindrance(edge, name) === undefined),
    );
    if (known.length === 0) return false;
    database.store.transaction(() => {
      for (const kind of keyKinds) {
        const before = this.#current(kind);
        const [next] = keysOf(kind, known);
        if (writtenKey(kind, database)?.name === before?.name) noteWritten(kind, database, before);
        if (next === undefined) continue;
        if (before !== undefined) database.setSecretState(before.name, 'previous');
        database.setSecretState(next.name, 'current');
      }
    });
    return true;
  }
  /** For what each new key waits, one line an edge. */
  waits(): Failure[] {
    return this.#next().flatMap(({ name }) =>
      this.#parts.edges().flatMap((edge) => {
        const hindrance = this.#hindrance(edge, name);
        return hindrance === undefined
          ? []
          : [failure('SLP-CFG-0052', `${name} waits for ${edge.name}, ${hindrance}`)];
      }),
    );
  }
  /** By what the edge said last; undefined when it knows the key and can be told to use it. */
  #hindrance({ name: edge }: ManagedEdge, secret: string): string | undefined {
    const { database } = this.#parts;
    const report = reportOf(database.edge(edge));
    if (report === undefined) return 'which was never heard';
    const { head, product, inUse } = report;
    if (inUse === undefined) return `whose product ${product} takes keys into use only with an upgrade`;
    const running = head === null ? undefined : database.byHash(edge, head.hash);
    if (running !== undefined && lists(running, secret)) return undefined;
    return `which ran version ${head?.version ?? 'none'} when it was heard last`;
  }

  /** Whether an edge uses other keys than it is to use; an edge of the version before cannot be told. */
  differs({ inUse }: EdgeReport): boolean {
    const used = this.inUse();
    if (inUse === undefined || used === undefined) return false;
    return keyKinds.some((kind) => inUse[kind] !== null && inUse[kind] !== used[kind]);
  }
  /** What an edge is to be told so that it uses the keys that all are to use; undefined when there is nothing to say. */
  activationFor(edge: string, report: EdgeReport): SignedText | undefined {
    if (!this.differs(report)) return undefined;
    const made = this.#activation(edge);
    if (made === undefined || (report.head?.version ?? 0) < made.version) return undefined;
    // What this store knows only as its next key is used there: another copy of the store was faster. So will this one be.
    return (report.inUse?.version ?? 0) >= made.version ? undefined : made.signed;
  }
  /** The same for a file, which the policy alone does not say. */
  activationForFile(edge: string): SignedText | undefined {
    const used = this.inUse();
    const { database } = this.#parts;
    const differs = keyKinds.some((kind) => writtenKey(kind, database)?.name !== used?.[kind]);
    return differs ? this.#activation(edge)?.signed : undefined;
  }
  /** Names of the keys that are used. */
  inUse(): ActivatedKeys | undefined {
    const [media, flow] = keyKinds.map((kind) => this.#current(kind)?.name);
    return media === undefined || flow === undefined ? undefined : { media, flow };
  }

  /**
   * By the first version that had all keys that are used, which is another one after every roll: so of two activations the
   * newer has the greater version, and the same one is made of the same database, whenever and by whichever copy of it.
   */
  #activation(edge: string): { version: number; signed: SignedText } | undefined {
    const { database, key } = this.#parts;
    const keys = this.inUse();
    if (keys === undefined) return undefined;
    const first = database.firstListing(edge, [keys.media, keys.flow]);
    if (first === undefined) return undefined;
    const { version, hash: link } = first;
    return { version, signed: makeActivation(key, { edge, version, link, keys }) };
  }
  #keys(kind: KeyKind): Secret[] {
    return keysOf(kind, this.#parts.database.secrets());
  }
  #current(kind: KeyKind): Secret | undefined {
    return this.#keys(kind).find((key) => key.state === 'current');
  }
  #next(): Secret[] {
    return this.#parts.database.secrets().filter((secret) => secret.state === 'next');
  }
}

/** Whether a published version has an entry of this name. */
function lists({ manifest }: Published, name: string): boolean {
  const parsed = parseManifest(manifest);
  return parsed.ok && parsed.value.entries.some((entry) => entry.name === name);
}
