import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { type ManagementStatus, managementStatus } from '#internal/management';
import { runCommandLine } from '../../cli/index.ts';
import { Perimeter } from './perimeter.ts';

export type EdgeRow = ManagementStatus['edges'][number];

export interface Printed {
  readonly status: number;
  readonly text: string;
}

/** A perimeter whose edge has no policy of its own: the management store inside gives it one. */
export class ManagedPerimeter {
  readonly perimeter: Perimeter;
  /** What the edge's policy was before it was taken away, with the replication port open. */
  readonly policy: Readonly<Record<string, unknown>>;

  private constructor(perimeter: Perimeter, policy: Record<string, unknown>) {
    this.perimeter = perimeter;
    this.policy = policy;
  }

  /** Writes the documents and starts the store; the edge has never been loaded and does not run yet. */
  static async prepare(network: number): Promise<ManagedPerimeter> {
    const perimeter = await Perimeter.prepare({ network, frontEnd: true });
    const { edgeDocument, internalDocument } = perimeter.files;
    const { names, internal } = perimeter.plan;
    const edge = parseDocument(readFileSync(edgeDocument, 'utf8'));
    const written = (edge.toJS() as { policy: Record<string, unknown> }).policy;
    const policy: Record<string, unknown> = { ...written, features: { replication: true } };
    delete policy.mediaCredentials;
    const inside = parseDocument(readFileSync(internalDocument, 'utf8'));
    inside.set('management', {
      edges: [{ name: names.edge, address: internal.address }],
      pollSeconds: 3600,
      database: 'store.sqlite',
    });
    writeFileSync(internalDocument, inside.toString());
    const managed = new ManagedPerimeter(perimeter, policy);
    await perimeter.internal.start();
    edge.delete('policy');
    edge.setIn(['host', 'replication'], {
      policy: 'replicated',
      signers: [(await managed.status()).store.fingerprint],
      stores: [names.frontEnd],
    });
    writeFileSync(edgeDocument, edge.toString());
    return managed;
  }

  /** The first load: the store's policy by a file, and the key of the edge the other way. */
  async load(): Promise<{ readonly exported: Printed; readonly imported: Printed }> {
    const { edgeDocument, internalSocket } = this.perimeter.files;
    const { folder, names } = this.perimeter.plan;
    const policy = join(folder, 'policy.yaml');
    writeFileSync(policy, stringify(this.policy));
    const store = ['--socket', internalSocket];
    await this.good('config', 'set', '--file', policy, '--reason', 'first', ...store);
    const identity = await this.good('config', 'identity', '--document', edgeDocument);
    const key = /sealing key (\S+)/.exec(identity.text)?.[1] ?? assert.fail(identity.text);
    const zip = join(folder, 'edge.zip');
    const wanted = ['--edge', names.edge, '--sealing-key', key];
    const exported = await this.good('config', 'export', zip, ...wanted, ...store);
    const imported = await this.good('config', 'import', zip, '--document', edgeDocument);
    return { exported, imported };
  }
  /** Starts the edge, and waits until both have found one another. */
  async startEdge(): Promise<void> {
    await this.perimeter.edge.start();
    await this.perimeter.until('edge and next hop have found one another', async () => {
      const answer = await this.perimeter.edge.ask('access', 'connections');
      return (answer as { nextHop: { state: string }[] }).nextHop.every(({ state }) => state === 'healthy');
    });
    await this.upToDate();
  }
  static async start(network: number): Promise<ManagedPerimeter> {
    const managed = await ManagedPerimeter.prepare(network);
    await managed.load();
    await managed.startEdge();
    return managed;
  }

  /** A verb of the management store. */
  manage(verb: string, args: object = {}): Promise<unknown> {
    return this.perimeter.internal.ask('management', verb, args);
  }
  async status(): Promise<ManagementStatus> {
    return managementStatus.parse(await this.manage('status'));
  }
  async row(): Promise<EdgeRow> {
    return (await this.status()).edges[0] ?? assert.fail('no edge');
  }
  async upToDate(): Promise<EdgeRow> {
    await this.perimeter.until(
      'the edge is up to date',
      async () => (await this.row()).state === 'up-to-date',
    );
    return this.row();
  }
  async set(path: string, value: unknown): Promise<void> {
    await this.manage('set', { path, value: JSON.stringify(value), author: 'tester' });
  }

  async cli(...args: string[]): Promise<Printed> {
    const lines: string[] = [];
    const terminal = {
      out: (text: string) => void lines.push(text),
      error: (text: string) => void lines.push(text),
    };
    const status = await runCommandLine(args, terminal);
    return { status, text: lines.join('\n') };
  }
  async good(...args: string[]): Promise<Printed> {
    const printed = await this.cli(...args);
    assert.equal(printed.status, 0, printed.text);
    return printed;
  }
}
