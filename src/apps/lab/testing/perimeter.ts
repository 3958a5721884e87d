import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type RestCredential, restCredential } from '#protocols/credentials';
import { insidePage, type LabPlan, type LabVariant, labFiles, planLab } from '../lab-plan.ts';
import { NameServer } from '../name-server.ts';
import { LabProgram } from '../program.ts';
import { type LabSecrets, setUpLab } from '../set-up.ts';
import { endedWithUs, endWithUs } from './end-with-us.ts';

export interface PerimeterOptions extends LabVariant {
  /** One for each test file, so that they can run side by side. */
  readonly network: number;
  /** Starts `sallyport internal` too; without it something else is the next hop. */
  readonly frontEnd: boolean;
  /** Further names that the name server knows, with their addresses. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** What differs in the edge's document, as it is written; `plan.metrics.address` is that of the name server then. */
  readonly change?: (document: WrittenDocument, plan: LabPlan) => void;
}

/** A document as YAML gives it. */
export type WrittenDocument = Record<'host' | 'policy', Record<string, unknown>>;

const DNS = 53;
const PATIENCE_MS = 30_000;
const LOOK_MS = 50;
const HOUR_MS = 3_600_000;

/** An edge, with or without our own front end behind it, on loopback addresses and in a temporary folder of its own. */
export class Perimeter {
  readonly plan: LabPlan;
  readonly secrets: LabSecrets;
  readonly edge: LabProgram;
  readonly names: NameServer;
  readonly #internal: LabProgram | undefined;

  private constructor(
    plan: LabPlan,
    secrets: LabSecrets,
    edge: LabProgram,
    internal: LabProgram | undefined,
    names: NameServer,
  ) {
    this.plan = plan;
    this.secrets = secrets;
    this.edge = edge;
    this.#internal = internal;
    this.names = names;
  }

  /** Makes documents, certificates and accounts, and starts nothing yet but the name server. */
  static async prepare(options: PerimeterOptions): Promise<Perimeter> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-perimeter-'));
    endWithUs(() => rmSync(folder, { recursive: true, force: true }));
    const plan = await planLab(folder, options);
    if (plan.remarks.length > 0)
      throw new Error(`this test needs another machine: ${plan.remarks.join(' ')}`);
    const files = labFiles(plan);
    const secrets = await setUpLab(plan);
    const edge = new LabProgram({
      name: 'edge',
      document: files.edgeDocument,
      socket: files.edgeSocket,
      log: files.edgeLog,
      launcher: endedWithUs('INT'),
    });
    const internal = new LabProgram({
      name: 'internal',
      document: files.internalDocument,
      socket: files.internalSocket,
      log: files.internalLog,
      launcher: endedWithUs('INT'),
    });
    const hosts = new Map([
      [plan.names.access, plan.access.address],
      [plan.names.av, plan.av.address],
      ...Object.entries(options.hosts ?? {}),
    ]);
    const names = await NameServer.start(plan.metrics.address, hosts, options.change === undefined ? 0 : DNS);
    if (options.change !== undefined) {
      const document = parse(readFileSync(files.edgeDocument, 'utf8')) as WrittenDocument;
      options.change(document, plan);
      writeFileSync(files.edgeDocument, stringify(document));
    }
    return new Perimeter(plan, secrets, edge, options.frontEnd ? internal : undefined, names);
  }

  get files() {
    return labFiles(this.plan);
  }
  /** Where browsers inside find the page of meetings. */
  get insidePage(): string {
    return insidePage(this.plan);
  }
  /** `sallyport internal`. */
  get internal(): LabProgram {
    if (this.#internal === undefined) throw new Error('this perimeter has no front end of ours');
    return this.#internal;
  }

  /** Starts the programs and waits until they are healthy and the next hop is reached. */
  async start(): Promise<void> {
    const programs = [this.edge, ...(this.#internal === undefined ? [] : [this.#internal])];
    await Promise.all(
      programs.map(async (program) => {
        endWithUs(() => {
          if (program.running && program.pid !== undefined) process.kill(program.pid, 'SIGINT');
        });
        await program.start();
      }),
    );
    await this.until('edge and next hop have found one another', async () => {
      const { nextHop } = (await this.edge.ask('access', 'connections')) as { nextHop: { state: string }[] };
      const troubles = (await this.#internal?.ask('front-end', 'troubles')) as string[] | undefined;
      return nextHop.every(({ state }) => state === 'healthy') && (troubles ?? []).length === 0;
    });
  }

  /** Ends everything, and removes the folder. */
  async stop(): Promise<void> {
    this.names.stop();
    await Promise.all([this.edge.stop(), this.#internal?.stop()]);
    rmSync(this.plan.folder, { recursive: true, force: true });
  }

  /** Looks again and again until it is so. */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`timed out before ${what}\n${this.logs()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** A time-limited relay credential, as an organisation's own service would make it from the static secret. */
  relayCredential(user: string): RestCredential {
    const secret = readFileSync(this.files.relaySecret, 'utf8').trim();
    return restCredential(secret, user, Date.now() + HOUR_MS);
  }
  /** Datagrams that the relay has passed from one of its allocations to another so far. */
  async switched(): Promise<number> {
    const counters = (await this.edge.ask('av', 'counters')) as { relayed: { switchedPackets: number } };
    return counters.relayed.switchedPackets;
  }
  async allocations(): Promise<number> {
    return ((await this.edge.ask('av', 'counters')) as { allocations: number }).allocations;
  }

  /** The ends of the programs' logs, for a failure. */
  logs(): string {
    const { edgeLog, internalLog } = this.files;
    return [edgeLog, ...(this.#internal === undefined ? [] : [internalLog])]
      .map((file) => `${file}:\n${readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')}`)
      .join('\n');
  }
}
