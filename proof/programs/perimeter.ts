import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { FailureError } from '#kernel';
import { AdministrationClient } from '#platform/service';
import { type EdgeDocument, loadEdgeDocument } from '#platform/topology';
import { LabProgram } from '../../src/apps/lab/program.ts';
import type { ChildProgram } from '../../src/apps/lab/testing/child-program.ts';
import { endedWithUs } from '../../src/apps/lab/testing/end-with-us.ts';
import { Actor } from '../actors/actor.ts';
import { addresses, type EdgeName, edgeNames, type ForeignEdge, ofFamily } from '../network/addresses.ts';
import { run, until } from '../network/command.ts';
import type { Host } from '../network/host.ts';
import { type HostName, PerimeterNetwork } from '../network/perimeter-network.ts';
import { generatedRules, loadRules, reservePorts } from '../observe/rule-counters.ts';
import { ACCOUNT, allProfiles, DOMAIN, type EdgeVariant, names } from './documents.ts';
import { type Elsewhere, startElsewhere, startListServer, startNameServer } from './outside.ts';
import { type Person, ProofFiles } from './proof-files.ts';
import { startXmppPartners, type XmppPerson } from './xmpp-partner.ts';

const SERVER = join(import.meta.dirname, '../../src/apps/cli/main.ts');

/** Everything that a flow of the proof may use: hosts, the programs on them, and people on both sides. */
export class Perimeter {
  readonly network: PerimeterNetwork;
  readonly files: ProofFiles;
  readonly internal: LabProgram;
  readonly #edges: ReadonlyMap<EdgeName | ForeignEdge, LabProgram>;
  readonly #rules = new Map<HostName, string>();
  readonly #actors = new Map<HostName, Actor>();
  readonly #outside: { stop(): Promise<void> }[] = [];
  #variant: EdgeVariant = { allowed: [], profiles: allProfiles };
  #nameServer: ChildProgram | undefined;
  readonly #elsewhere = new Map<string, Promise<Elsewhere>>();
  #xmppPartners: ReturnType<typeof startXmppPartners> | undefined;
  readonly #signedIn = new Map<Person, Promise<string>>();

  private constructor(network: PerimeterNetwork, files: ProofFiles) {
    this.network = network;
    this.files = files;
    this.internal = this.#program('internal', 'frontEnd', 'internal');
    const all = [...edgeNames, 'foreignEdge'] as const;
    this.#edges = new Map(all.map((edge) => [edge, this.#program('edge', edge, edge)]));
  }

  /** Builds the hosts and writes the documents; nothing of ours runs yet. */
  static async build(relayThreads: number): Promise<Perimeter> {
    await accountCanRead();
    const network = await PerimeterNetwork.build();
    return new Perimeter(network, await ProofFiles.write(relayThreads));
  }

  edge(name: EdgeName | ForeignEdge): LabProgram {
    const edge = this.#edges.get(name);
    if (edge === undefined) throw new TypeError(`no edge ${name}`);
    return edge;
  }
  host(name: HostName): Host {
    return this.network.host(name);
  }
  /** An edge's document as the programs read it. */
  document(edge: EdgeName | ForeignEdge): EdgeDocument {
    const loaded = loadEdgeDocument(this.files.document(edge));
    if (!loaded.ok) throw new Error(`the proof's own document is wrong: ${JSON.stringify(loaded.error)}`);
    return loaded.value;
  }
  /** Our process on this host. */
  actor(name: HostName): Actor {
    const actor = this.#actors.get(name) ?? Actor.start(this.host(name));
    this.#actors.set(name, actor);
    return actor;
  }

  /** Loads on the firewalls and the edges what the command prints for each, to the letter. */
  async protect(): Promise<void> {
    const kinds = {
      externalFirewall: 'external',
      internalFirewall: 'internal',
      edge1: 'host',
      edge2: 'host',
      foreignEdge: 'host',
    } as const;
    await Promise.all(
      (Object.keys(kinds) as (keyof typeof kinds)[]).map(async (name) => {
        // The policy is the same in both documents, so either edge's makes the rules of the firewalls.
        const isEdge = name === 'edge2' || name === 'foreignEdge';
        const document = this.files.document(isEdge ? name : 'edge1');
        const text = await generatedRules(document, kinds[name]);
        this.#rules.set(name, text);
        await loadRules(this.host(name), text);
      }),
    );
    for (const edge of [...edgeNames, 'foreignEdge'] as const)
      await reservePorts(this.host(edge), this.files.document(edge));
  }
  /** The generated rules of a host. */
  rules(name: HostName): string {
    const text = this.#rules.get(name);
    if (text === undefined) throw new TypeError(`${name} has no generated rules`);
    return text;
  }

  /** Starts the two edges and the next hop, and waits until they have found one another. */
  async start(): Promise<void> {
    this.#nameServer = await startNameServer(this);
    this.#outside.push(this.#nameServer, await startListServer(this));
    // One after the other: each is a handful of processes, and all at once keep a small machine from being ready in time.
    for (const program of [this.internal, ...this.#edges.values()]) await program.start();
    await until(
      'edges and next hop had found one another',
      async () => {
        const troubles = (await this.internal.ask('front-end', 'troubles')) as string[];
        const hops = await Promise.all(edgeNames.map((edge) => this.edge(edge).ask('access', 'connections')));
        const states = (hops as { nextHop: { state: string }[] }[]).flatMap(({ nextHop }) => nextHop);
        return (troubles.length === 0 && states.every(({ state }) => state === 'healthy')) || undefined;
      },
      30_000,
    );
  }

  /** Changes the documents of our edges while they run. */
  async vary(change: Partial<EdgeVariant>): Promise<void> {
    this.#variant = { ...this.#variant, ...change };
    for (const edge of edgeNames) {
      this.files.vary(edge, this.#variant);
      await this.reload(edge);
    }
  }

  /** Has an edge read its document again. */
  async reload(edge: EdgeName): Promise<void> {
    const answer = await new AdministrationClient(this.files.path(`${edge}.sock`)).call('reload', {});
    if (!answer.ok) throw new FailureError(answer.error);
    if (answer.value.outcome !== 'applied')
      throw new Error(`${edge} did not take its document: ${answer.value.problems.join('; ')}`);
  }

  /** The name server that the edges ask. */
  get nameServer(): ChildProgram {
    if (this.#nameServer === undefined) throw new TypeError('the name server has not been started');
    return this.#nameServer;
  }
  /** The edge of other organisations, or of public providers, on the host of this name, started when it is first asked for. */
  elsewhere(host: 'partner' | 'provider'): Promise<Elsewhere> {
    const known =
      this.#elsewhere.get(host) ??
      startElsewhere(this, host).then((started) => {
        this.#outside.push(started.kamailio);
        return started;
      });
    this.#elsewhere.set(host, known);
    return known;
  }

  /** People on the XMPP servers of other organisations, which are started when they are first asked for. */
  async xmppPeople(): Promise<readonly XmppPerson[]> {
    this.#xmppPartners ??= startXmppPartners(this).then((partners) => {
      this.#outside.push(partners);
      return partners;
    });
    return (await this.#xmppPartners).people;
  }

  /** Signs a person in, once, where that person is at home in the proof; gives `user@domain`. */
  signedIn(person: User): Promise<string> {
    const known = this.#signedIn.get(person) ?? this.signIn(person);
    this.#signedIn.set(person, known);
    return known;
  }
  /** Signs a person in anew, by a connection of its own; by the one of before the person signs out first. */
  async signIn(person: User): Promise<string> {
    const home = homes[person];
    const user = `${person}@${DOMAIN}`;
    await this.phoneOf(person).call('signIn', {
      user,
      password: this.files.passwords[person],
      server: home.server,
      localAddress: ofFamily(addresses[home.host], home.family),
      authority: this.files.authority,
      hosts: { [names.av]: addresses.edge1.av.v4, [names.edge1]: addresses.edge1.internal.v4 },
    });
    return user;
  }
  /** Our process that has the person's phone. */
  phoneOf(person: User): Actor {
    return this.actor(homes[person].host);
  }

  /** Ends every process and removes everything but the logs of the programs, which go to this folder. */
  async stop(logs: string): Promise<void> {
    await Promise.all([...this.#actors.values()].map((actor) => actor.stop()));
    await Promise.all([...this.#edges.values(), this.internal].map((program) => program.stop()));
    await Promise.all(this.#outside.map((program) => program.stop()));
    await this.network.remove();
    this.files.keepLogs(logs);
    this.files.remove();
  }

  #program(
    name: 'edge' | 'internal',
    host: HostName,
    document: EdgeName | ForeignEdge | 'internal',
  ): LabProgram {
    return new LabProgram({
      name,
      document: this.files.document(document),
      socket: this.files.path(`${document}.sock`),
      log: this.files.path(`${document}.log`),
      launcher: [...endedWithUs('INT'), ...this.host(host).launcher],
    });
  }
}

export type User = Exclude<Person, 'visitor'>;

const byEdge1 = {
  family: 4,
  server: { address: addresses.edge1.access.v4, port: 443, name: names.access },
} as const;
const byEdge2 = {
  family: 6,
  server: { address: addresses.edge2.access.v6, port: 443, name: names.access },
} as const;
/** Alice comes to one edge by IPv4, carol to the other by IPv6, with grace and heidi beside them, and bob is inside. */
const homes = {
  alice: { host: 'alice', ...byEdge1 },
  grace: { host: 'alice', ...byEdge1 },
  carol: { host: 'carol', ...byEdge2 },
  heidi: { host: 'carol', ...byEdge2 },
  bob: {
    host: 'bob',
    family: 4,
    server: { address: addresses.frontEnd.v4, port: 5061, name: names.frontEnd },
  },
} as const;

/** The services read the program's files as an account that owns none of them. */
async function accountCanRead(): Promise<void> {
  accessSync(SERVER, constants.R_OK);
  try {
    await run('setpriv', [
      '--reuid',
      ACCOUNT,
      '--regid',
      ACCOUNT,
      '--clear-groups',
      process.execPath,
      '--check',
      SERVER,
    ]);
  } catch (problem) {
    throw new Error(
      `the account ${ACCOUNT}, which the services run as, cannot read ${SERVER} or run ${process.execPath}; ` +
        `put the repository where every user can read it (${(problem as Error).message})`,
    );
  }
}
