import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { managementStatus } from '#internal/management';
import { LabProgram } from '../../src/apps/lab/program.ts';
import { endedWithUs } from '../../src/apps/lab/testing/end-with-us.ts';
import { type EdgeName, edgeNames } from '../network/addresses.ts';
import { until } from '../network/command.ts';
import { names, storeDocument } from './documents.ts';
import type { Perimeter } from './perimeter.ts';

const SERVER = join(import.meta.dirname, '../../src/apps/cli/main.ts');
const PATIENCE_MS = 30_000;

/** `sallyport internal` with a management store, on the counterparts' host, as its operator would run it. */
export class ManagementStore {
  readonly #perimeter: Perimeter;
  readonly #program: LabProgram;

  private constructor(perimeter: Perimeter, program: LabProgram) {
    this.#perimeter = perimeter;
    this.#program = program;
  }

  static async start(perimeter: Perimeter): Promise<ManagementStore> {
    const { files } = perimeter;
    const document = files.path('store.yaml');
    writeFileSync(document, storeDocument());
    const launcher = [...endedWithUs('INT'), ...perimeter.host('counterparts').launcher];
    const [socket, log] = [files.path('store.sock'), files.path('store.log')];
    const program = new LabProgram({ name: 'internal', document, socket, log, launcher });
    await program.start();
    return new ManagementStore(perimeter, program);
  }
  stop(): Promise<void> {
    return this.#program.stop();
  }

  /** Gives the edges' own policy to the store, and each edge the store's as its first, by a file. */
  async adopt(): Promise<void> {
    const { files } = this.#perimeter;
    const { policy } = parseDocument(readFileSync(files.document('edge1'), 'utf8')).toJS() as {
      policy: { pool: Record<string, unknown> };
    };
    // Both keys are the store's own from here on.
    const own = {
      ...policy,
      pool: { ...policy.pool, flowKeyFile: undefined },
      mediaCredentials: { staticSecretFiles: [files.path('relay.secret')] },
    };
    await this.#manage('replace', { text: stringify(own), author: 'proof' });
    const { fingerprint } = (await this.status()).store;
    for (const edge of edgeNames) await this.#load(edge, fingerprint);
  }

  async #load(edge: EdgeName, fingerprint: string): Promise<void> {
    const { files } = this.#perimeter;
    const document = parseDocument(readFileSync(files.document(edge), 'utf8'));
    document.delete('policy');
    const signers = [fingerprint];
    document.setIn(['host', 'replication'], { policy: 'replicated', signers, stores: [names.frontEnd] });
    // Beside the one that runs, until there is something to run it with.
    const beside = files.path(`${edge}.replicated.yaml`);
    writeFileSync(beside, document.toString());
    const identity = await this.#sallyport(edge, 'config', 'identity', '--document', beside);
    const key = /sealing key (\S+)/.exec(identity)?.[1] ?? '';
    const zip = files.path(`${edge}.zip`);
    const store = ['--socket', this.#program.options.socket];
    const wanted = ['--edge', names[edge], '--sealing-key', key, ...store];
    await this.#sallyport('counterparts', 'config', 'export', zip, ...wanted);
    await this.#sallyport(edge, 'config', 'import', zip, '--document', beside);
    renameSync(beside, files.document(edge));
    await this.#perimeter.reload(edge);
  }

  /** Changes one setting, and waits until every edge runs it; gives the version. */
  async push(path: string, value: unknown): Promise<number> {
    await this.#manage('set', { path, value: JSON.stringify(value), author: 'proof' });
    await until(
      'both edges were up to date',
      async () => {
        const { edges } = await this.status();
        return edges.every(({ state }) => state === 'up-to-date') || undefined;
      },
      PATIENCE_MS,
    );
    return (await this.status()).store.version;
  }
  async status() {
    return managementStatus.parse(await this.#manage('status', {}));
  }

  #manage(verb: string, args: object): Promise<unknown> {
    return this.#program.ask('management', verb, args);
  }
  #sallyport(host: EdgeName | 'counterparts', ...parameters: readonly string[]): Promise<string> {
    return this.#perimeter.host(host).run(process.execPath, [SERVER, ...parameters]);
  }
}
