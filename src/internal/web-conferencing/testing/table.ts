import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, SeededRandom } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import { type MeetingSnapshot, MeetingView, type PsomEvent } from '#protocols/psom';
import type { Admission, Newcomer } from '../conferences.ts';
import { Downloads } from '../downloads.ts';
import { Meetings } from '../meetings.ts';
import { Reception } from '../reception.ts';
import { ServiceEvents } from '../service-events.ts';
import { serviceMetrics } from '../service-metrics.ts';
import type { MeetingSettings } from '../settings.ts';
import { SigningKeys } from '../signing-keys.ts';
import { ConferenceStore } from '../store/conference-store.ts';
import { FileStore, type FreeSpace } from '../store/file-store.ts';
import { Tokens } from '../tokens.ts';
import { unwrap } from './stage.ts';

export const ALICE = 'alice@example.com';
const ENDS_MS = 10_000;

const SETTINGS: MeetingSettings = {
  ...{ domain: 'conf.example.com', meetingUrl: 'https://conf.example.com/', graceMs: 120_000 },
  ...{ expiryMs: 86_400_000, keptMs: 86_400_000, meetings: 100 },
  limits: {
    ...{ participants: 300, standings: 1000, contents: 20, annotations: 200 },
    ...{ fileBytes: 1_048_576, meetingBytes: 2_097_152 },
  },
  session: { callsPerSecond: 10_000, waitingBytes: 4_194_304 },
};

/** What a test changes of the usual settings. */
export interface TableOptions {
  readonly settings?: Partial<Omit<MeetingSettings, 'limits' | 'session'>>;
  readonly limits?: Partial<MeetingSettings['limits']>;
  readonly session?: Partial<MeetingSettings['session']>;
  readonly free?: FreeSpace;
}

/** Waits for a state, through turns of the event loop, with an end of its own. */
export async function until(what: () => boolean, why = 'it came to pass'): Promise<void> {
  const end = performance.now() + ENDS_MS;
  while (!what()) {
    assert.ok(performance.now() < end, `in time: ${why}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A node without network: one meeting on a disk of its own, and whoever joins it through memory. */
export class Table implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'table-'));
  readonly clock = new ManualClock();
  readonly log = memoryLog();
  readonly ring = new EventRing(this.clock, { items: 10_000, bytes: 1 << 20 });
  readonly options: TableOptions;
  readonly metrics = serviceMetrics(new Metrics());
  store: ConferenceStore;
  files: FileStore;
  meetings: Meetings;
  reception: Reception;
  downloads: Downloads;
  tokens: Tokens;
  keys: SigningKeys;
  readonly id: string;
  readonly #random = new SeededRandom(5);

  constructor(options: TableOptions = {}) {
    this.options = options;
    this.store = unwrap(ConferenceStore.open(join(this.folder, 'meetings.sqlite')));
    this.files = unwrap(FileStore.open(join(this.folder, 'files'), options.free));
    ({ keys: this.keys, tokens: this.tokens } = this.#makeTokens());
    ({ meetings: this.meetings, reception: this.reception, downloads: this.downloads } = this.#start());
    const about = { title: 'Plans', organizer: ALICE, presenters: [], guests: true, federated: true };
    this.id = unwrap(this.meetings.create(about)).id;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.meetings.dismiss();
    await new Promise((resolve) => setImmediate(resolve));
    this.store.close();
    rmSync(this.folder, { recursive: true, maxRetries: 5 });
  }
  /** The process was killed: what was not on the disk is lost, connections are gone, and another process begins. */
  restart(clients: readonly Client[] = []): void {
    const file = join(this.folder, 'meetings.sqlite');
    const dead = this.store;
    // A commit of the process that is no more would be one of the dead.
    dead.commit = () => {
      throw new Error('killed');
    };
    for (const client of clients) client.wire.cut();
    this.meetings.dismiss();
    dead.close();
    this.store = unwrap(ConferenceStore.open(file));
    this.files = unwrap(FileStore.open(join(this.folder, 'files'), this.options.free));
    ({ keys: this.keys, tokens: this.tokens } = this.#makeTokens());
    ({ meetings: this.meetings, reception: this.reception, downloads: this.downloads } = this.#start());
  }

  admit(who: Partial<Newcomer> & { address: string }, id = this.id): Admission {
    const newcomer = { displayName: '', kind: 'user', outside: false, device: '', ...who } as const;
    const admitted = this.meetings.admit(id, newcomer);
    assert.ok(admitted.ok, JSON.stringify(admitted));
    return admitted.value;
  }
  /** Admitted, joined and up to date. */
  async join(address: string, who: Partial<Newcomer> = {}, id = this.id): Promise<Client> {
    const client = new Client(this, this.admit({ address, ...who }, id));
    await client.live();
    return client;
  }
  guest(name: string): Promise<Client> {
    const address = `${name.toLowerCase()}@anonymous.invalid`;
    return this.join(address, { displayName: name, kind: 'guest', outside: true });
  }

  #makeTokens() {
    const keys = unwrap(SigningKeys.load(join(this.folder, 'tokens.key')));
    return { keys, tokens: new Tokens(keys, 'fe1.corp.example', this.#random) };
  }
  #start() {
    const { clock, log, metrics, store, files, options, tokens } = this;
    const random = this.#random;
    const settings = {
      ...SETTINGS,
      ...options.settings,
      limits: { ...SETTINGS.limits, ...options.limits },
      session: { ...SETTINGS.session, ...options.session },
    };
    const meetings = new Meetings({ clock, random, log, store, files, metrics, tokens, settings });
    const limits = () => settings.session;
    const events = new ServiceEvents(this.ring, clock);
    const reception = new Reception({ clock, meetings, tokens, metrics, events, limits });
    return { meetings, reception, downloads: new Downloads({ clock, meetings, tokens, files, metrics }) };
  }
}

/** A participant: the real view of a meeting, over memory. */
export class Client {
  readonly table: Table;
  readonly admission: Admission;
  readonly view: MeetingView;
  wire: Wire;
  /** Hears what the server calls. */
  observe: (event: PsomEvent) => void = () => {};

  constructor(table: Table, admission: Admission) {
    this.table = table;
    this.admission = admission;
    this.view = new MeetingView({ onOutput: () => this.#send(), observe: (event) => this.observe(event) });
    this.wire = this.#connect();
    this.view.join(admission.token, table.clock.now());
    this.#send();
  }
  get number(): number {
    return this.admission.participant;
  }
  get seen(): MeetingSnapshot {
    return this.view.snapshot();
  }
  /** The content of this title, as this participant sees it. */
  content(title: string) {
    return this.seen.contents.find((one) => one.title === title);
  }
  async live(): Promise<void> {
    await until(() => this.view.phase === 'live', 'the meeting is live');
  }
  async create(title: string, type: 'Content.Ppt' | 'Content.Whiteboard' | 'Content.Poll'): Promise<number> {
    return unwrapCreated(await this.view.commands.create(title, type));
  }
  /** The connection breaks, and another one comes. */
  async resume(): Promise<void> {
    this.reconnect();
    await this.live();
  }
  reconnect(): void {
    this.wire.cut();
    this.view.handleClosed();
    this.wire = this.#connect();
    this.view.resume(this.table.clock.now());
    this.#send();
  }
  /** Bytes on the present connection that no view would send. */
  raw(bytes: Uint8Array): void {
    this.wire.arrive(Buffer.from(bytes));
  }

  #connect(): Wire {
    const wire = new Wire();
    wire.onSent = (bytes) => {
      if (this.wire !== wire) return;
      this.view.handleBytes(bytes, this.table.clock.now());
      this.#send();
    };
    wire.onEnd = () => {
      if (this.wire === wire) this.view.handleClosed();
    };
    this.table.reception.receive(wire);
    return wire;
  }
  #send(): void {
    for (const frame of this.view.takeOutput()) this.wire.arrive(Buffer.from(frame));
  }
}

/** One connection in memory, as the service has it. */
export class Wire implements Connection {
  static #ids = 0;
  readonly id = ++Wire.#ids;
  readonly remote = { address: '192.0.2.1', port: 4000 };
  readonly local = { address: '127.0.0.1', port: 8057 };
  readonly opened = 0;
  readonly tls = undefined;
  readonly lastReceived = 0;
  readonly bytesReceived = 0;
  onData: (chunk: Buffer) => void = () => {};
  onClose: (reason: CloseReason) => void = () => {};
  onDrain: () => void = () => {};
  idleMs = 0;
  bytesSent = 0;
  queued = 0;
  closed = false;
  reason: CloseReason | undefined;
  /** What the service sent, to whoever is at the other end. */
  onSent: (bytes: Uint8Array) => void = () => {};
  onEnd: () => void = () => {};
  /** The other end reads nothing. */
  stalled = false;
  paused = false;
  readonly #inbox: Buffer[] = [];
  #outbox: Uint8Array[] = [];
  #planned = false;

  arrive(bytes: Buffer): void {
    this.#inbox.push(bytes);
    this.#plan();
  }
  /** The transport is gone. */
  cut(): void {
    this.#end('reset');
  }
  write(bytes: Uint8Array): boolean {
    if (this.closed) return false;
    this.bytesSent += bytes.length;
    this.queued += bytes.length;
    this.#outbox.push(bytes);
    if (!this.stalled) this.#plan();
    return !this.stalled;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
    this.#plan();
  }
  end(reason: CloseReason = 'local'): void {
    this.#deliver();
    this.#end(reason);
  }
  destroy(reason: CloseReason): void {
    this.#outbox = [];
    this.#end(reason);
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#deliver();
    });
  }
  #deliver(): void {
    if (!this.stalled) {
      const sent = this.#outbox;
      this.#outbox = [];
      this.queued = 0;
      for (const bytes of sent) this.onSent(bytes);
      if (sent.length > 0 && !this.closed) this.onDrain();
    }
    while (!this.closed && !this.paused) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) return;
      this.onData(chunk);
    }
  }
  #end(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.reason = reason;
    setImmediate(() => {
      this.onClose(reason);
      this.onEnd();
    });
  }
}

function unwrapCreated(outcome: { ok: true; value: number } | { ok: false; error: string }): number {
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.value;
}
