import { type Clock, err, type Failure, failure, ok, type Result } from '#kernel';
import { PRODUCT_VERSION } from '#platform/telemetry';
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
import type { Database, Published } from './database.ts';
import { unknownSettings } from './known-settings.ts';
import { type ManagedEdge, type Policies, policyProblems, textOf } from './policies.ts';

export interface PublisherParts {
  readonly database: Database;
  readonly policies: Policies;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly edges: () => readonly ManagedEdge[];
}

export interface PublishedVersion {
  readonly version: number;
  readonly edges: readonly string[];
  readonly author: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Makes signed versions of what each edge is to run. Everything of one publication is one transaction. */
export class Publisher {
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
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

  /** What was published, newest first: when, by whom, why, and for which edges. */
  versions(limit: number): PublishedVersion[] {
    return this.#parts.database.versions(limit).map(({ version, edges, one }) => {
      const { author = '', reason = '' } = JSON.parse(one.manifest) as Partial<Manifest>;
      const { created } = JSON.parse(one.link) as { created: number };
      return { version, edges, author, reason, at: created };
    });
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
