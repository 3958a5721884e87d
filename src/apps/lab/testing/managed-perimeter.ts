import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { type ManagementStatus, managementStatus } from '#internal/management';
import { runCommandLine } from '../../cli/index.ts';
import { Perimeter } from './perimeter.ts';
import type { SecondEdge } from './second-edge.ts';

export type EdgeRow = ManagementStatus['edges'][number];

interface Loaded {
  readonly exported: Printed;
  readonly imported: Printed;
}

export interface Printed {
  readonly status: number;
  readonly text: string;
}

/** An edge that the store keeps. */
interface KeptEdge {
  readonly name: string;
  readonly address: string;
  readonly document: string;
}

/** A perimeter whose edge, or both, have no policy of their own: the management store inside gives them one. */
export class ManagedPerimeter {
  readonly perimeter: Perimeter;
  /** What the edge's policy was before it was taken away, with the replication port open. */
  readonly policy: Readonly<Record<string, unknown>>;

  readonly #edges: readonly KeptEdge[];

  private constructor(perimeter: Perimeter, policy: Record<string, unknown>, edges: readonly KeptEdge[]) {
    this.#edges = edges;
    this.perimeter = perimeter;
    this.policy = policy;
  }

  /**
   * Writes the documents and starts the store; the edge has never been loaded and does not run yet.
   * @param beside makes another edge, with the same policy, which is not started either
   */
  static async prepare(
    network: number,
    beside?: (perimeter: Perimeter) => Promise<SecondEdge>,
  ): Promise<ManagedPerimeter> {
    const perimeter = await Perimeter.prepare({ network, frontEnd: true });
    const second = await beside?.(perimeter);
    const { edgeDocument, internalDocument } = perimeter.files;
    const { names, internal } = perimeter.plan;
    const edge = parseDocument(readFileSync(edgeDocument, 'utf8'));
    const written = (edge.toJS() as { policy: Record<string, unknown> }).policy;
    const policy: Record<string, unknown> = { ...written, features: { replication: true } };
    delete policy.mediaCredentials;
    const edges: KeptEdge[] = [{ name: names.edge, address: internal.address, document: edgeDocument }];
    if (second !== undefined) {
      const { name, plan, program } = second;
      edges.push({ name, address: plan.internal.address, document: program.options.document });
      const both = [perimeter.plan, plan].map(({ av }) => `${av.address}/32`);
      policy.relay = { ...(written.relay as object), allowedPeers: both };
    }
    const inside = parseDocument(readFileSync(internalDocument, 'utf8'));
    inside.set('management', {
      edges: edges.map(({ name, address }) => ({ name, address })),
      pollSeconds: 3600,
      database: 'store.sqlite',
    });
    writeFileSync(internalDocument, inside.toString());
    const managed = new ManagedPerimeter(perimeter, policy, edges);
    await perimeter.internal.start();
    const signers = [(await managed.status()).store.fingerprint];
    for (const { document } of edges) {
      const kept = parseDocument(readFileSync(document, 'utf8'));
      kept.delete('policy');
      kept.setIn(['host', 'replication'], { policy: 'replicated', signers, stores: [names.frontEnd] });
      writeFileSync(document, kept.toString());
    }
    return managed;
  }

  /** The first load: the store's policy by a file, and the key of each edge the other way. @returns that of the first */
  async load(): Promise<Loaded> {
    const { internalSocket } = this.perimeter.files;
    const { folder } = this.perimeter.plan;
    const policy = join(folder, 'policy.yaml');
    writeFileSync(policy, stringify(this.policy));
    const store = ['--socket', internalSocket];
    await this.good('config', 'set', '--file', policy, '--reason', 'first', ...store);
    const loaded: Loaded[] = [];
    for (const edge of this.#edges) loaded.push(await this.#load(edge, store));
    return loaded[0] ?? assert.fail('no edge');
  }
  async #load({ name, document }: KeptEdge, store: readonly string[]): Promise<Loaded> {
    const identity = await this.good('config', 'identity', '--document', document);
    const key = /sealing key (\S+)/.exec(identity.text)?.[1] ?? assert.fail(identity.text);
    const zip = join(this.perimeter.plan.folder, `${name}.zip`);
    const wanted = ['--edge', name, '--sealing-key', key];
    const exported = await this.good('config', 'export', zip, ...wanted, ...store);
    const imported = await this.good('config', 'import', zip, '--document', document);
    return { exported, imported };
  }
  /** Starts the edge, and waits until both have found one another. */
  async startEdge(): Promise<void> {
    await this.perimeter.edge.start();
    await this.perimeter.until('edge and next hop have found one another', async () => {
      const answer = await this.perimeter.edge.ask('access', 'connections');
      return (answer as { nextHop: { state: string }[] }).nextHop.every(({ state }) => state === 'healthy');
    });
    // The store has tried before the edge listened, and waits the longer the more often it did.
    await this.manage('replicate', { author: 'tester' });
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
