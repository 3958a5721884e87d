import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ManualClock, SystemRandom } from '#kernel';
import { LabAuthority, loadCredentials, loadTrustAnchors } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, silentLog } from '#platform/telemetry';
import { type InternalDocument, loadInternalDocument } from '#platform/topology';
import { service } from '../service.ts';
import { ScriptedAgent } from './scripted-agent.ts';

export const EDGES = ['edge1.corp.example', 'edge2.corp.example'] as const;
const ADDRESSES = ['127.0.9.71', '127.0.9.72'] as const;
const CONTROLLER = '127.0.9.70';

/** A log controller with two edges, whose agents do what the test says. */
export class Bench {
  readonly agents: ScriptedAgent[] = [];
  readonly service: Service<InternalDocument>;
  readonly authority: LabAuthority;
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-logs-'));
  answerSeconds = 30;
  /** Stands still: however slow this machine is, nothing is late unless a test says so. */
  readonly clock = new ManualClock({ wall: Date.now() });

  private constructor(authority: LabAuthority) {
    this.authority = authority;
    const { clock } = this;
    this.service = service.create({
      clock,
      random: new SystemRandom(),
      log: silentLog(),
      metrics: new Metrics(),
      events: new EventRing(clock, { items: 10, bytes: 1000 }),
      sockets: {
        plan: () => [],
        tcp: () => {
          throw new Error('the log controller listens nowhere');
        },
        udp: () => {
          throw new Error('the log controller listens nowhere');
        },
      },
    });
  }
  static async start(t: TestContext): Promise<Bench> {
    const bench = new Bench(await LabAuthority.create({ name: 'logs' }));
    t.after(async () => {
      await bench.service.stop();
      for (const agent of bench.agents) await agent.stop();
      rmSync(bench.folder, { recursive: true, force: true });
    });
    await bench.authority.writeCertificate(join(bench.folder, 'ca.crt'));
    await bench.authority.issueTo(bench.pair('controller'), { name: 'fe1', hosts: ['fe1.corp.example'] });
    for (const [at, name] of EDGES.entries()) {
      bench.agents.push(await bench.agent(name, ADDRESSES[at] ?? '', name));
    }
    await bench.apply();
    return bench;
  }

  /** @param named what its certificate asserts */
  async agent(name: string, address: string, named: string): Promise<ScriptedAgent> {
    await this.authority.issueTo(this.pair(name), { name, hosts: [named] });
    const credentials = loadCredentials(this.pair(name), Date.now());
    const trust = loadTrustAnchors(join(this.folder, 'ca.crt'));
    if (!credentials.ok || !trust.ok) throw new Error('no credentials');
    return ScriptedAgent.start(name, address, { credentials: credentials.value, trust: trust.value });
  }
  pair(name: string) {
    return { certificate: join(this.folder, `${name}.crt`), key: join(this.folder, `${name}.key`) };
  }

  /** Gives the service a document with these edges. */
  async apply(
    edges: readonly Partial<InternalDocument['logging']['edges'][number]>[] = this.edges(),
  ): Promise<void> {
    const file = join(this.folder, 'internal.yaml');
    writeFileSync(file, this.#document(edges));
    const read = loadInternalDocument(file);
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    const provision = await this.service.provision(read.value);
    if (!provision.ok) throw new Error(provision.error.message);
    await provision.value.commit();
  }
  edges() {
    return this.agents.map(({ node, address, ports }) => ({
      name: node,
      address,
      controlPort: ports.control,
      searchPort: ports.search,
      collectionPort: ports.collection,
    }));
  }
  #document(edges: readonly object[]): string {
    return JSON.stringify({
      version: 1,
      host: {
        name: 'fe1.corp.example',
        stateDirectory: this.folder,
        addresses: { internal: [CONTROLLER] },
        certificates: { internal: this.pair('controller') },
        internalCa: 'ca.crt',
        administration: { metrics: { address: '127.0.0.1', port: 9181 } },
      },
      frontEnd: { sipDomains: ['example.com'], edges: [{ name: EDGES[0], address: ADDRESSES[0] }] },
      logging: { edges, answerSeconds: this.answerSeconds },
    });
  }

  async verb(name: string, args: object = {}): Promise<unknown> {
    const handler = this.service.verbs[name];
    if (handler === undefined) throw new Error(`no verb ${name}`);
    // The same copy that the administration socket makes.
    return JSON.parse(JSON.stringify(await handler(args))) as unknown;
  }
}
