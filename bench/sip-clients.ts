import { join } from 'node:path';
import { ADDRESSES, type BenchFolder, PORTS } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge } from './lib/edge-server.ts';
import { startKamailio } from './lib/kamailio-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram, type PinnedProcess } from './lib/pinned-process.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';
import { RUNTIME_SERVERS, type RuntimeServer, startRuntimeServer } from './lib/runtime-servers.ts';
import type { ClientsFigures, ClientsRound } from './lib/sip-clients-load-process.ts';

/*
 * Calls from INVITE to BYE, a storm of sign-ins, and what idle clients take: the Access Edge beside Kamailio as an edge and
 * as a mere relay, and beside bare servers of the runtime, in one run. README.md says what the figures mean.
 */

const CONNECTIONS = 16;
/** Calls under way over all connections. */
const UNDER_WAY = [32, 128] as const;
/** As many as one edge is planned for. */
const CLIENTS = 12_000;
const AT_ONCE = 64;
/** Of the storms that come later, on servers that have seen one. */
const STORM_CLIENTS = 3_000;
/** The runtime compiles code while it runs. */
const WARM_ROUNDS = 8;
/** Storms at each server, after the first one, that do not count: ours still compiles, and Kamailio's memory is new to it. */
const WARM_STORMS = 4;

interface Target {
  readonly name: string;
  readonly process: PinnedProcess;
  readonly host: string;
  readonly port: number;
}
/** Who can play calls. */
const PROXIES = ['sallyport', 'edge', 'relay', 'handing'] as const;
const SERVERS = [...PROXIES, 'bare'] as const;
type Server = (typeof SERVERS)[number];
type Targets = Record<Server, Target>;
const TITLES: Record<Server, string> = {
  sallyport: 'Access Edge',
  edge: 'Kamailio as an edge',
  relay: 'Kamailio as a relay',
  handing: RUNTIME_SERVERS.handing.title,
  bare: RUNTIME_SERVERS.bare.title,
};
/** Of each server the first storm, of all clients, then the later ones. */
type Storms = Record<Server, ClientsFigures[]>;
/** Of each proxy the rounds with so many calls under way. */
type Played = Record<(typeof PROXIES)[number], ClientsFigures[]>;
type Calls = Map<number, Played>;
type Load = LoadProcess<ClientsRound, ClientsFigures>;

await runBench(async (folder) => {
  demandProgram('kamailio', 'kamailio kamailio-tls-modules kamailio-outbound-modules');
  const rounds = roundsAsked(3);
  const script = join(import.meta.dirname, 'lib/sip-clients-load-process.ts');
  const load: Load = await LoadProcess.start(script, [folder.path]);
  const targets = await startServers(folder);
  const calls = await playCalls(load, targets, rounds);
  // Ones that have done nothing yet, so that no room which calls have left is taken for clients that need none.
  await Promise.all(Object.values(targets).map((one) => one.process.stop()));
  const storms = await playStorms(load, await startServers(folder), rounds);
  keepReport('sip-clients', report(calls, storms, rounds));
});

async function playCalls(load: Load, targets: Targets, rounds: number): Promise<Calls> {
  const round = { kind: 'calls', connections: CONNECTIONS, warmMs: 300, ms: 1_600 } as const;
  for (let warm = 0; warm < WARM_ROUNDS; warm++)
    for (const name of ['sallyport', 'handing'] as const)
      await play(load, targets[name], { ...round, underWay: UNDER_WAY[0] });
  const calls: Calls = new Map();
  for (const underWay of UNDER_WAY) {
    const played: Played = { sallyport: [], edge: [], relay: [], handing: [] };
    for (let number = 0; number < rounds; number++)
      for (const name of PROXIES) played[name].push(await play(load, targets[name], { ...round, underWay }));
    calls.set(underWay, played);
  }
  return calls;
}

async function playStorms(load: Load, targets: Targets, rounds: number): Promise<Storms> {
  const first = { kind: 'sign-in', clients: CLIENTS, atOnce: AT_ONCE, settleMs: 5_000 } as const;
  const storms: Storms = { sallyport: [], edge: [], relay: [], handing: [], bare: [] };
  for (const name of SERVERS) storms[name].push(await play(load, targets[name], first));
  const later = { ...first, clients: STORM_CLIENTS, settleMs: 0 };
  for (let warm = 0; warm < WARM_STORMS; warm++)
    for (const name of SERVERS) await play(load, targets[name], later);
  for (let round = 0; round < rounds; round++)
    for (const name of SERVERS) storms[name].push(await play(load, targets[name], later));
  return storms;
}

async function startServers(folder: BenchFolder): Promise<Targets> {
  return {
    sallyport: await startAccessEdge(folder),
    edge: await startPeer(folder, 'edge'),
    relay: await startPeer(folder, 'relay'),
    handing: await startRuntime(folder, 'handing'),
    bare: await startRuntime(folder, 'bare'),
  };
}

async function startAccessEdge(folder: BenchFolder): Promise<Target> {
  const many = {
    connections: 20_000,
    connectionsPerSource: 20_000,
    handshakes: 1_000,
    transactions: 400_000,
  };
  const process = await startEdge(folder, { policy: { limits: { access: many } } });
  return { name: TITLES.sallyport, process, host: ADDRESSES.external, port: PORTS.sip };
}

async function startPeer(folder: BenchFolder, duty: 'edge' | 'relay'): Promise<Target> {
  const kamailio = await startKamailio(folder, { duty, allocator: 'tlsf', children: 1 });
  return { name: TITLES[duty], host: ADDRESSES.peerServer, ...kamailio };
}

async function startRuntime(folder: BenchFolder, kind: RuntimeServer): Promise<Target> {
  return { name: TITLES[kind], ...(await startRuntimeServer(folder, kind)) };
}

type Asked = ClientsRound extends infer One
  ? One extends ClientsRound
    ? Omit<One, 'proxy' | 'pid'>
    : never
  : never;
async function play(
  load: Load,
  { name, process: server, host, port }: Target,
  round: Asked,
): Promise<ClientsFigures> {
  const figures = await load.play({ ...round, proxy: { host, port }, pid: server.pid } as ClientsRound);
  process.stdout.write(
    `${round.kind}, ${name}: ${whole(perProcessorSecond(figures))} a CPU-second, ` +
      `${whole(figures.completed / figures.seconds)}/s, failed ${figures.failed}, ${megabytes(figures.residentBytes)} MB\n`,
  );
  return figures;
}
function perProcessorSecond({ completed, processorSeconds }: ClientsFigures): number {
  return completed / processorSeconds;
}
function megabytes(bytes: number): string {
  return whole(bytes / 1e6);
}

function report(calls: Calls, storms: Storms, rounds: number): string {
  return `# Calls, sign-ins and idle clients: Access Edge beside Kamailio

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node},
${versionOf('kamailio', ['-v'], /kamailio [\d.]+/)} (tm, rr, t_relay; allocator tlsf, one TCP worker), bare \`node:tls\` servers. TLSv1.3, X25519, ECDSA with P-256.
Kamailio as an edge does what an edge does, as a relay only what a stateful proxy must (\`lib/kamailio-server.ts\`).
${machine()}

## Calls

INVITE, 180, 200, ACK, BYE, 200 over ${CONNECTIONS} connections; medians of ${rounds} alternating rounds:

${callTable(calls)}

Floor 1.5: ${verdict(calls, 'edge')} beside the edge, ${verdict(calls, 'relay')} beside the relay.
The server that only hands on has ${callBounds(calls, 'edge')} and ${callBounds(calls, 'relay')} in our place.

## Sign-ins and memory

${whole(CLIENTS)} clients connect and sign in, ${AT_ONCE} at a time, and are silent from then on, at servers that have just begun (one round
each, which memory is of); then storms of ${whole(STORM_CLIENTS)} at the same servers: ${WARM_STORMS} that do not count, and medians of ${rounds} alternating
rounds:

${stormTable(storms)}

${stormVerdicts(storms)}
`;
}

function efficiency(figures: readonly ClientsFigures[]): string {
  return whole(median(figures.map(perProcessorSecond)));
}
function rate(figures: readonly ClientsFigures[]): string {
  return whole(median(figures.map((one) => one.completed / one.seconds)));
}
function failed(figures: readonly ClientsFigures[]): string {
  return String(figures.reduce((sum, one) => sum + one.failed, 0));
}
function versus(ours: readonly ClientsFigures[], theirs: readonly ClientsFigures[]) {
  return ratio(ours.map(perProcessorSecond), theirs.map(perProcessorSecond));
}

function callTable(calls: Calls): string {
  return table(
    ['under way', '', 'calls a CPU-second', 'calls/s', 'failed', 'ratio'],
    [...calls].flatMap(([underWay, played]) =>
      PROXIES.map((name) => [
        String(underWay),
        TITLES[name],
        efficiency(played[name]),
        rate(played[name]),
        failed(played[name]),
        name === 'sallyport' ? '' : versus(played.sallyport, played[name]).text,
      ]),
    ),
  );
}
function verdict(calls: Calls, peer: 'edge' | 'relay'): string {
  const least = Math.min(...[...calls.values()].map((one) => versus(one.sallyport, one[peer]).middle));
  return least >= 1.5 ? 'met' : '**missed**';
}
function callBounds(calls: Calls, peer: 'edge' | 'relay'): string {
  return [...calls.values()].map((one) => versus(one.handing, one[peer]).middle.toFixed(2)).join(', ');
}

function stormTable(storms: Storms): string {
  return table(
    ['', 'sign-ins a CPU-second', 'sign-ins/s', 'the first: a CPU-second', 'memory a client, kB', 'failed'],
    SERVERS.map((name) => [
      TITLES[name],
      efficiency(storms[name].slice(1)),
      rate(storms[name].slice(1)),
      efficiency(storms[name].slice(0, 1)),
      (memory(storms[name]) / 1e3).toFixed(1),
      failed(storms[name]),
    ]),
  );
}
function memory([first]: readonly ClientsFigures[]): number {
  return (first?.residentBytes ?? 0) / (first?.completed ?? 1);
}
function stormVerdicts({ sallyport, ...others }: Storms): string {
  const signIns = (['edge', 'relay'] as const).map((peer) => {
    const later = versus(sallyport.slice(1), others[peer].slice(1));
    const first = versus(sallyport.slice(0, 1), others[peer].slice(0, 1));
    const met = later.middle >= 1 ? 'met' : '**missed**';
    return `Sign-ins, ratio to ${TITLES[peer]} ${later.text}; floor 1: ${met}. Of the first storm: ${first.middle.toFixed(2)}.`;
  });
  const bound = (['edge', 'relay'] as const).map((peer) => {
    return versus(others.handing.slice(1), others[peer].slice(1)).middle.toFixed(2);
  });
  const held = (peer: Server & keyof typeof others) =>
    `**${(memory(sallyport) / memory(others[peer])).toFixed(2)}**`;
  return `${signIns.join('\n')}
A server of the runtime that only hands on has ${bound.join(' and ')} in their place.
Memory, ratio to the bare server ${held('bare')} (at most 1.25), to Kamailio as a relay ${held('relay')}, as an edge ${held('edge')} (at most 1).`;
}
