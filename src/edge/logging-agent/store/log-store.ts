import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, err, failure, ok, type Random, type Result, randomToken } from '#kernel';
import type { Log } from '#platform/telemetry';
import type { LogEvent } from '#protocols/log-query';
import { KeyFilter } from './key-filter.ts';
import { Segment } from './segment.ts';
import {
  listSegments,
  readSeal,
  removeSegment,
  type SegmentFacts,
  segmentBytes,
  setAside,
  writeSeal,
} from './segment-files.ts';

export interface StoreSettings {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly retentionMs: number;
  /** Of the volume, whoever uses it; above it the oldest segments go, and at last nothing more is stored. */
  readonly diskPercent: number;
}

export interface LogStoreOptions {
  /** Made when absent; only its owner may read it. */
  readonly folder: string;
  readonly settings: StoreSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Percent of the volume in use; for tests. */
  readonly usedPercent?: (folder: string) => number;
}

const ID_FILE = 'store.id';
const ID = /^[0-9a-z]{16}$/;
/** Between two looks at age and disk. */
const LOOK_MS = 10_000;

/** Segments in a folder: one that grows, the others sealed. */
export class LogStore {
  readonly folder: string;
  /** Tells tokens of this store from those of one that was there before. */
  readonly id: string;
  readonly #options: LogStoreOptions;
  #settings: StoreSettings;
  readonly #sealed = new Map<number, SegmentFacts>();
  #open: Segment;
  #openedAt: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #overCeiling = false;
  /** As it was when it was last asked for: a volume that went away says nothing any more. */
  #usedPercent = 0;

  private constructor(options: LogStoreOptions, id: string, sealed: readonly SegmentFacts[], open: Segment) {
    this.#options = options;
    this.#settings = options.settings;
    this.folder = options.folder;
    this.id = id;
    for (const facts of sealed) this.#sealed.set(facts.first, facts);
    this.#open = open;
    this.#openedAt = options.clock.now();
  }

  /** Seals what a crash left open, and sets aside what cannot be read. */
  static open(options: LogStoreOptions): Result<LogStore> {
    const { folder, log } = options;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const id = storeId(folder, options.random);
      const numbers = listSegments(folder);
      const sealed: SegmentFacts[] = [];
      let open: Segment | undefined;
      for (const first of numbers) {
        const seal = readSeal(folder, first)?.facts;
        if (seal !== undefined) sealed.push(seal);
        else if (first === numbers.at(-1)) open = recover(folder, first, log);
        else {
          const segment = recover(folder, first, log);
          if (segment !== undefined) sealed.push(sealSegment(folder, segment));
        }
      }
      const last = Math.max(0, ...sealed.map((facts) => facts.last), ...numbers);
      return ok(new LogStore(options, id, sealed, open ?? Segment.open(folder, last + 1)));
    } catch (error) {
      return err(failure('SLP-LOG-0003', `${folder}: ${(error as Error).message}`, error));
    }
  }

  /** The number of the next event. */
  get next(): number {
    return this.#open.facts.last + 1;
  }
  /** Oldest first; the last one grows. */
  get segments(): SegmentFacts[] {
    return [...this.#sealed.values(), this.#open.facts];
  }
  get openSegment(): number {
    return this.#open.first;
  }
  get diskPercent(): number {
    try {
      return this.#measure();
    } catch {
      return this.#usedPercent;
    }
  }
  /** @throws when the volume does not say: nothing may be deleted then */
  #measure(): number {
    this.#usedPercent = (this.#options.usedPercent ?? usedPercent)(this.folder);
    return this.#usedPercent;
  }
  configure(settings: StoreSettings): void {
    this.#settings = settings;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  /** All of them or none; their numbers go on from `next`. */
  append(events: readonly LogEvent[]): Result<void> {
    if (this.#overCeiling) return err(failure('SLP-LOG-0004', this.#ceilingText()));
    try {
      this.#open.append(events);
      return ok(undefined);
    } catch (error) {
      return err(failure('SLP-LOG-0003', `${this.folder}: ${(error as Error).message}`, error));
    }
  }

  /** Rolls and deletes as the settings say. Call it often. */
  tend(): void {
    const { clock, log } = this.#options;
    const { events, bytes } = this.#open.facts;
    const old = clock.now() - this.#openedAt >= this.#settings.segmentMs;
    if (events > 0 && (bytes >= this.#settings.segmentBytes || old)) this.#roll();
    if (clock.now() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = clock.now();
    try {
      this.#makeRoom();
    } catch (error) {
      // A volume that went away or became read-only: what is stored can be read for as long as it lets us.
      log.error('old segments cannot be deleted', {
        code: 'SLP-LOG-0003',
        problem: (error as Error).message,
      });
    }
  }
  /** By age, then by what the disk has left. */
  #makeRoom(): void {
    const { clock, log } = this.#options;
    for (const { first, to } of this.#sealed.values()) {
      if (to < clock.wall() - this.#settings.retentionMs) this.#remove(first, 'too old');
    }
    while (this.#measure() > this.#settings.diskPercent) {
      const oldest = this.#sealed.keys().next().value;
      if (oldest === undefined) break;
      this.#remove(oldest, 'the disk is above its ceiling');
    }
    const over = this.#usedPercent > this.#settings.diskPercent;
    if (over && !this.#overCeiling)
      log.error('nothing is stored', { code: 'SLP-LOG-0004', problem: this.#ceilingText() });
    this.#overCeiling = over;
  }
  get overCeiling(): boolean {
    return this.#overCeiling;
  }

  /** Segments of a window that may hold what is wanted; `mayHave` is asked for each sealed one. */
  candidates(
    window: { readonly from: number; readonly to: number },
    mayHave: (filter: KeyFilter) => boolean,
  ): { readonly all: number; readonly chosen: SegmentFacts[] } {
    const all = this.segments.filter((facts) => facts.events > 0);
    const chosen = all.filter(({ first, from, to }) => {
      if (to < window.from || from >= window.to) return false;
      if (first === this.#open.first) return true;
      const seal = readSeal(this.folder, first);
      return seal === undefined || mayHave(new KeyFilter(seal.filter));
    });
    return { all: all.length, chosen };
  }
  /** The one with the event behind this number, or the next one there is. */
  holding(number: number): SegmentFacts | undefined {
    return this.segments.find((facts) => facts.last > number);
  }

  sync(): Result<void> {
    try {
      this.#open.sync();
      return ok(undefined);
    } catch (error) {
      return err(failure('SLP-LOG-0003', `${this.folder}: ${(error as Error).message}`, error));
    }
  }
  close(): void {
    this.#open.close();
  }

  #roll(): void {
    const { folder, log, clock } = this.#options;
    const old = this.#open;
    const problem = (error: unknown) =>
      log.error('segment cannot be sealed', { code: 'SLP-LOG-0003', problem: (error as Error).message });
    this.#openedAt = clock.now();
    try {
      this.#open = Segment.open(folder, old.facts.last + 1);
    } catch (error) {
      problem(error);
      return;
    }
    try {
      const facts = sealSegment(folder, old);
      this.#sealed.set(facts.first, facts);
      log.info('segment sealed', { first: facts.first, events: facts.events, bytes: facts.bytes });
    } catch (error) {
      // Its events are there, only what would make a search quick is not; the next start makes it.
      old.close();
      this.#sealed.set(old.first, old.facts);
      problem(error);
    }
  }
  #remove(first: number, why: string): void {
    removeSegment(this.folder, first);
    this.#sealed.delete(first);
    this.#options.log.info('segment deleted', { first, why });
  }
  #ceilingText(): string {
    return `${this.folder}: ${this.#usedPercent.toFixed(0)} % of the volume in use, ${this.#settings.diskPercent} % allowed`;
  }
}

function recover(folder: string, first: number, log: Log): Segment | undefined {
  try {
    return Segment.open(folder, first);
  } catch (error) {
    const aside = setAside(folder, first);
    log.error('segment set aside', { code: 'SLP-LOG-0005', file: aside, problem: (error as Error).message });
    return undefined;
  }
}

/** Closes it too. */
function sealSegment(folder: string, segment: Segment): SegmentFacts {
  segment.sync();
  const filter = KeyFilter.of(segment.keyTokens());
  const facts = { ...segment.facts, bytes: segmentBytes(folder, segment.first) };
  segment.close();
  writeSeal(folder, facts, filter.bytes);
  return facts;
}

function storeId(folder: string, random: Random): string {
  const file = join(folder, ID_FILE);
  try {
    const id = readFileSync(file, 'latin1').trim();
    if (ID.test(id)) return id;
  } catch {
    // Not there yet.
  }
  const id = randomToken(random, 16)
    .toLowerCase()
    .replaceAll(/[^0-9a-z]/g, '0')
    .slice(0, 16)
    .padEnd(16, '0');
  writeFileSync(file, `${id}\n`, { mode: 0o600 });
  return id;
}

function usedPercent(folder: string): number {
  const { blocks, bavail, bfree } = statfsSync(folder);
  const used = blocks - bfree;
  // As df counts: what is kept for root is not there for anybody.
  return used + bavail === 0 ? 100 : (100 * used) / (used + bavail);
}
