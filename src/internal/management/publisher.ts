import { type Clock, err, type Failure, failure, ok, type Random, type Result } from '#kernel';
import { PRODUCT_VERSION } from '#platform/telemetry';
import { mediaKeyText } from '#protocols/credentials';
import {
  type EdgeReport,
  type Entry,
  linkHash,
  type Manifest,
  makeLink,
  manifestText,
  NEWEST_FORMAT,
  NO_HASH,
  POLICY_ENTRY,
  type Push,
  parseManifest,
  type SigningKey,
  seal,
  sha256,
} from '#protocols/replication';
import type { Database, Published, Secret } from './database.ts';
import { unknownSettings } from './known-settings.ts';
import {
  KEY_FILES,
  type KeyKind,
  keyKinds,
  keysOf,
  type ManagedEdge,
  type Policies,
  policyProblems,
  textOf,
} from './policies.ts';

/**
 * Keys that count beside the current one and the one that it replaces. Credentials live for a day at most; dialogs and
 * subscriptions live longer, and end with the key by which their routes were sealed.
 */
const KEPT_KEYS: Readonly<Record<KeyKind, number>> = { media: 2, flow: 4 };

export interface PublisherParts {
  readonly database: Database;
  readonly policies: Policies;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly random: Random;
  readonly edges: () => readonly ManagedEdge[];
}

/** Makes signed versions of what each edge is to run. Everything of one publication is one transaction. */
export class Publisher {
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** The first keys, so that a new store has some to give, and one of before those that it did not know of. */
  prepareKeys(): void {
    for (const kind of keyKinds)
      if (keysOf(kind, this.#parts.database.secrets()).length === 0) this.#makeKey(kind, 'current');
  }

  /**
   * Makes keys that the edges are to know. They are used once all of them do: `advance` sees to that.
   * @returns their names, or a failure, and nothing made, while a roll of one of these kinds is still under way
   */
  rollKeys(kinds: readonly KeyKind[]): Result<string[]> {
    const { database } = this.#parts;
    const waiting = kinds
      .flatMap((kind) => keysOf(kind, database.secrets()))
      .find((secret) => secret.state === 'next');
    if (waiting !== undefined) return err(failure('SLP-CFG-0024', waiting.name));
    return ok(database.store.transaction(() => kinds.map((kind) => this.#makeKey(kind, 'next'))));
  }
  #makeKey(kind: KeyKind, state: 'current' | 'next'): string {
    const { database, random, clock } = this.#parts;
    const { prefix, extension } = KEY_FILES[kind];
    const material = random.bytes(32);
    const name = `${prefix}${sha256(material).slice(0, 12)}${extension}`;
    // Both kinds are one line of base64.
    database.keepSecret({ name, value: Buffer.from(mediaKeyText(material)), state, created: clock.wall() });
    return name;
  }

  /** Keys that every edge knows by now are used from here on. True when something is to be published. */
  advance(confirmed: (edge: ManagedEdge) => boolean): boolean {
    const { database, edges } = this.#parts;
    const next = database.secrets().filter((secret) => secret.state === 'next');
    if (next.length === 0 || edges().length === 0 || !edges().every(confirmed)) return false;
    // What could not be published is known nowhere, however up to date the edges are.
    const known = next.filter(({ name }) => edges().every((edge) => this.#holds(edge, name)));
    database.store.transaction(() => {
      for (const kind of keyKinds) for (const key of keysOf(kind, known)) this.#turn(kind, key);
    });
    return known.length > 0;
  }
  #turn(kind: KeyKind, next: Secret): void {
    const { database } = this.#parts;
    const keys = keysOf(kind, database.secrets());
    for (const key of keys) if (key.state === 'current') database.setSecretState(key.name, 'previous');
    database.setSecretState(next.name, 'current');
    for (const key of keys.filter((one) => one.state === 'previous').slice(KEPT_KEYS[kind]))
      database.forgetSecret(key.name);
  }
  #holds(edge: ManagedEdge, secret: string): boolean {
    const newest = this.#parts.database.newest(edge.name);
    const manifest = newest === undefined ? undefined : parseManifest(newest.manifest);
    return manifest?.ok === true && manifest.value.entries.some(({ name }) => name === secret);
  }

  /** Publishes for every edge whose policy or secrets are other than before. @returns the names of those */
  publish(author: string, reason: string): Result<string[]> {
    const { database, edges } = this.#parts;
    try {
      return ok(
        database.store.transaction(() => {
          const version = Number(database.fact('version') ?? 0) + 1;
          const changed = edges().filter((edge) => this.#publishFor(edge, version, { author, reason }));
          if (changed.length > 0) database.setFact('version', String(version));
          return changed.map((edge) => edge.name);
        }),
      );
    } catch (error) {
      if (error instanceof NotPublished) return err(error.problem);
      throw error;
    }
  }

  #publishFor(edge: ManagedEdge, version: number, about: Pick<Manifest, 'author' | 'reason'>): boolean {
    const { database, policies, key, clock } = this.#parts;
    const recipient = database.edge(edge.name)?.sealingKey;
    // Its secrets cannot be sealed before its key is known; the first contact publishes.
    if (recipient === undefined || database.latest().length === 0) return false;
    const compiled = policies.compile(edge);
    if (!compiled.ok) throw new NotPublished(compiled.error);
    const [problem] = policyProblems(compiled.value, edge);
    if (problem !== undefined) throw new NotPublished(problem);
    const entries = [this.#keep(POLICY_ENTRY, Buffer.from(textOf(compiled.value)), false)];
    for (const secret of database.secrets())
      entries.push(this.#sealed(edge, recipient, secret.name, secret.value));
    const manifest = manifestText({ ...about, entries, product: PRODUCT_VERSION });
    const parsed = parseManifest(manifest);
    if (!parsed.ok) throw new NotPublished(parsed.error.failure);
    const newest = database.newest(edge.name);
    if (newest !== undefined && sameEntries(newest.manifest, manifest)) return false;
    const previous = database.fact(`adopted ${edge.name}`) ?? newest?.hash ?? NO_HASH;
    const link = makeLink(key, {
      edge: edge.name,
      version,
      previous,
      manifest: sha256(manifest),
      created: clock.wall(),
    });
    const { text, signature } = link;
    database.publish({ edge: edge.name, version, hash: linkHash(text), link: text, signature, manifest });
    database.dropFact(`adopted ${edge.name}`);
    return true;
  }

  /** Sealed once for each recipient: the same box has the same hash, and is not sent again. */
  #sealed(edge: ManagedEdge, recipient: string, name: string, value: Uint8Array): Entry {
    const { database } = this.#parts;
    const known = database.box(name, edge.name, recipient);
    const kept = known === undefined ? undefined : database.entry(known);
    if (known !== undefined && kept !== undefined)
      return { name, sha256: known, size: kept.length, sealed: true };
    const box = seal(value, recipient, { edge: edge.name, name });
    if (box === undefined)
      throw new NotPublished(failure('SLP-CFG-0015', `${edge.name} shows a key that is none`));
    const entry = this.#keep(name, box, true);
    database.keepBox(name, edge.name, recipient, entry.sha256);
    return entry;
  }
  #keep(name: string, bytes: Uint8Array, sealed: boolean): Entry {
    const hash = sha256(bytes);
    this.#parts.database.keepEntry(hash, bytes);
    return { name, sha256: hash, size: bytes.length, sealed };
  }

  /**
   * What is to be sent to an edge.
   * @param report what it has; undefined for a file
   * @param full every entry, whether it is there or not
   */
  pushFor(edge: string, report: EdgeReport | undefined, full: boolean): Result<Push | 'up-to-date'> {
    const { database } = this.#parts;
    const newest = database.newest(edge);
    if (newest === undefined) return err(failure('SLP-CFG-0025', edge));
    const strange = report === undefined ? undefined : this.#stranger(report, newest);
    if (strange !== undefined) return err(strange);
    const head = report?.head ?? null;
    if (head === null) return ok(this.#push([newest], newest, () => false));
    if (head.hash === newest.hash && !full) return ok('up-to-date');
    const known = database.byHash(edge, head.hash);
    const descends = database.since(edge, 0).some((one) => previousOf(one) === head.hash);
    if (known === undefined && !descends)
      return err(failure('SLP-CFG-0017', `${edge} runs version ${head.version}`));
    const links = head.hash === newest.hash ? [newest] : database.since(edge, known?.version ?? head.version);
    const held = new Set(full ? [] : report?.held);
    return ok(this.#push(links, newest, (hash) => held.has(hash)));
  }

  /** What an edge of another version could not take; it goes on with what it has until it is upgraded. */
  #stranger({ edge, product, formats, settings }: EdgeReport, newest: Published): Failure | undefined {
    if (formats.oldest > NEWEST_FORMAT || formats.newest < NEWEST_FORMAT) {
      const theirs = `${edge}, product ${product}, reads formats ${formats.oldest} to ${formats.newest}`;
      return failure('SLP-CFG-0040', `${theirs}; this store writes ${NEWEST_FORMAT}`);
    }
    const unknown = unknownSettings(this.#policyOf(newest), settings);
    if (unknown.length === 0) return undefined;
    const managed = this.#parts.edges().find((one) => one.name === edge);
    const names = unknown.slice(0, 5).map(({ name, line }) => {
      const origin = managed === undefined ? undefined : this.originOf(managed, line);
      return origin === undefined ? name : `${name} (${origin})`;
    });
    return failure('SLP-CFG-0039', `${edge}, product ${product}: ${names.join(', ')}`);
  }
  #policyOf(published: Published): string {
    const manifest = parseManifest(published.manifest);
    const entry = manifest.ok ? manifest.value.entries.find(({ name }) => name === POLICY_ENTRY) : undefined;
    const bytes = entry === undefined ? undefined : this.#parts.database.entry(entry.sha256);
    return Buffer.from(bytes ?? []).toString('utf8');
  }

  #push(links: readonly Published[], newest: Published, held: (hash: string) => boolean): Push {
    const parsed = parseManifest(newest.manifest);
    if (!parsed.ok) throw new Error(`published manifest: ${parsed.error.failure.message}`);
    const entries = new Map<string, Uint8Array>();
    for (const { sha256: hash } of parsed.value.entries) {
      const bytes = held(hash) ? undefined : this.#parts.database.entry(hash);
      if (bytes !== undefined) entries.set(hash, bytes);
    }
    const signed = links.map(({ link: text, signature }) => ({ text, signature }));
    return { links: signed, manifest: newest.manifest, entries };
  }

  /** Which scope and revision wrote a line of the policy that was published last, counted from 1. */
  originOf(edge: ManagedEdge, line: number): string | undefined {
    const { database, policies } = this.#parts;
    const newest = database.newest(edge.name);
    const manifest = newest === undefined ? undefined : parseManifest(newest.manifest);
    const compiled = policies.compile(edge);
    if (manifest?.ok !== true || !compiled.ok) return undefined;
    // A change after it may have moved the lines.
    const text = sha256(textOf(compiled.value));
    if (!manifest.value.entries.some((entry) => entry.name === POLICY_ENTRY && entry.sha256 === text)) return;
    const { scope, revision } = compiled.value[line - 1] ?? {};
    if (scope === undefined || revision === undefined) return undefined;
    return revision === 0 ? 'keys of the store' : `${scope}, revision ${revision}`;
  }

  /**
   * The edge's own version becomes the predecessor of the next one: for a store that was restored from a backup, or
   * takes over from another with the same key.
   */
  adopt(edge: string, head: { version: number; hash: string }): void {
    const { database } = this.#parts;
    database.store.transaction(() => {
      database.setFact(`adopted ${edge}`, head.hash);
      const version = Math.max(head.version, Number(database.fact('version') ?? 0));
      database.setFact('version', String(version));
      // Otherwise the same entries would count as published already.
      database.store.command('DELETE FROM published WHERE edge = ?').run(edge);
    });
  }
}

class NotPublished extends Error {
  readonly problem;
  constructor(problem: ReturnType<typeof failure>) {
    super(problem.message);
    this.problem = problem;
  }
}

function sameEntries(a: string, b: string): boolean {
  const entries = (text: string) => JSON.stringify((JSON.parse(text) as Manifest).entries);
  return entries(a) === entries(b);
}
function previousOf(one: Published): string {
  return (JSON.parse(one.link) as { previous: string }).previous;
}
