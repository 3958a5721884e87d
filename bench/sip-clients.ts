import { join } from 'node:path';
import { ADDRESSES, type BenchFolder, PORTS } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge } from './lib/edge-server.ts';
import { startKamailio } from './lib/kamailio-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram, PinnedProcess, SERVER_CORE } from './lib/pinned-process.ts';
import { acceptsTcp } from './lib/ready.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';
import type { ClientsFigures, ClientsRound } from './lib/sip-clients-load-process.ts';

/*
 * Calls from INVITE to BYE, a storm of sign-ins, and what idle clients take: the Access Edge beside Kamailio, tuned, and
 * beside a bare server of the runtime, in one run. README.md says what the figures mean.
 */

const CONNECTIONS = 16;
const UNDER_WAY = 32;
/** As many as one edge is planned for. */
const CLIENTS = 12_000;
const AT_ONCE = 64;
/** Of the storms that come later, on servers that have seen one. */
const STORM_CLIENTS = 3_000;
/** What the bare server listens on. */
const BARE_PORT = 5099;
/** Ours compiles its code while it runs. */
const WARM_ROUNDS = 8;

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
}
const SERVERS = ['edge', 'kamailio', 'bare'] as const;
/** Of each server the first storm, of all clients, then the later ones. */
type Storms = Record<(typeof SERVERS)[number], ClientsFigures[]>;
type Load = LoadProcess<ClientsRound, ClientsFigures>;

await runBench(async (folder) => {
  demandProgram('kamailio', 'kamailio kamailio-tls-modules');
  const rounds = roundsAsked(3);
  const script = join(import.meta.dirname, 'lib/sip-clients-load-process.ts');
  const load: Load = await LoadProcess.start(script, [folder.path]);
  const { process: edgeOfCalls, target: edge } = await startAccessEdge(folder);
  const { kamailio, bare } = await startPeers(folder);
  const calls = {
    kind: 'calls',
    connections: CONNECTIONS,
    underWay: UNDER_WAY,
    warmMs: 300,
    ms: 1_600,
  } as const;
  for (let round = 0; round < WARM_ROUNDS; round++) await play(load, edge, calls);
  const played: Record<'edge' | 'kamailio', ClientsFigures[]> = { edge: [], kamailio: [] };
  for (let round = 0; round < rounds; round++) {
    played.edge.push(await play(load, edge, calls));
    played.kamailio.push(await play(load, kamailio, calls));
  }
  const first = { kind: 'sign-in', clients: CLIENTS, atOnce: AT_ONCE, settleMs: 5_000 } as const;
  // One that has done nothing yet, so that no room which calls have left is taken for clients that need none.
  await edgeOfCalls.stop();
  const { target: fresh } = await startAccessEdge(folder);
  const targets = { edge: fresh, kamailio, bare };
  const storms: Storms = { edge: [], kamailio: [], bare: [] };
  for (const name of SERVERS) storms[name].push(await play(load, targets[name], first));
  const later = { ...first, clients: STORM_CLIENTS, settleMs: 0 };
  for (let round = 0; round < rounds; round++)
    for (const name of SERVERS) storms[name].push(await play(load, targets[name], later));
  keepReport('sip-clients', report(played, storms, rounds));
});

async function startAccessEdge(folder: BenchFolder): Promise<{ process: PinnedProcess; target: Target }> {
  const many = {
    connections: 20_000,
    connectionsPerSource: 20_000,
    handshakes: 1_000,
    transactions: 400_000,
  };
  const process = await startEdge(folder, { policy: { limits: { access: many } } });
  const target = { name: 'Access Edge', pid: process.pid, host: ADDRESSES.external, port: PORTS.sip };
  return { process, target };
}

async function startPeers(folder: BenchFolder): Promise<Record<'kamailio' | 'bare', Target>> {
  const { process: proxy, port } = await startKamailio(folder, 1, 'tlsf');
  const bare = new PinnedProcess({
    title: 'a bare TLS server',
    core: SERVER_CORE,
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'lib/bare-tls-server.ts'),
      folder.path,
      ADDRESSES.peerServer,
      String(BARE_PORT),
    ],
  });
  await bare.ready(() => acceptsTcp(ADDRESSES.peerServer, BARE_PORT));
  const host = ADDRESSES.peerServer;
  return {
    kamailio: { name: 'Kamailio', pid: proxy.pid, host, port },
    bare: { name: 'node:tls', pid: bare.pid, host, port: BARE_PORT },
  };
}

type Asked = ClientsRound extends infer One
  ? One extends ClientsRound
    ? Omit<One, 'proxy' | 'pid'>
    : never
  : never;
async function play(load: Load, { name, pid, host, port }: Target, round: Asked): Promise<ClientsFigures> {
  const figures = await load.play({ ...round, proxy: { host, port }, pid } as ClientsRound);
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

function report(
  { edge, kamailio }: Record<'edge' | 'kamailio', ClientsFigures[]>,
  storms: Storms,
  rounds: number,
): string {
  const efficiency = (figures: readonly ClientsFigures[]) => whole(median(figures.map(perProcessorSecond)));
  const rate = (figures: readonly ClientsFigures[]) =>
    whole(median(figures.map((one) => one.completed / one.seconds)));
  const calls = ratio(edge.map(perProcessorSecond), kamailio.map(perProcessorSecond));
  const failed = (figures: readonly ClientsFigures[]) =>
    String(figures.reduce((sum, one) => sum + one.failed, 0));
  const memory = ([one]: readonly ClientsFigures[]) => (one?.residentBytes ?? 0) / (one?.completed ?? 1);
  const [firsts, laters] = [
    (name: keyof Storms) => storms[name].slice(0, 1),
    (name: keyof Storms) => storms[name].slice(1),
  ];
  const signIns = ratio(laters('edge').map(perProcessorSecond), laters('kamailio').map(perProcessorSecond));
  const cold = ratio(firsts('edge').map(perProcessorSecond), firsts('kamailio').map(perProcessorSecond));
  return `# Calls, sign-ins and idle clients: Access Edge beside Kamailio

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node},
${versionOf('kamailio', ['-v'], /kamailio [\d.]+/)} (tm, rr, t_relay; allocator tlsf, one TCP worker), a bare \`node:tls\` server. TLSv1.3, X25519, ECDSA with P-256.
${machine()}

Calls (INVITE, 180, 200, ACK, BYE, 200) over ${CONNECTIONS} connections, ${UNDER_WAY} under way; medians of ${rounds} alternating rounds:

${table(
  ['', 'calls a CPU-second', 'calls/s', 'failed'],
  [
    ['Access Edge', efficiency(edge), rate(edge), failed(edge)],
    ['Kamailio', efficiency(kamailio), rate(kamailio), failed(kamailio)],
  ],
)}

Ratio ${calls.text}; floor 1.5: ${calls.middle >= 1.5 ? 'met' : '**missed**'}.

${whole(CLIENTS)} clients connect and sign in, ${AT_ONCE} at a time, and are silent from then on, at servers that have just begun (one round
each, which memory is of); then storms of ${whole(STORM_CLIENTS)} at the same servers, medians of ${rounds} alternating rounds:

${table(
  ['', 'sign-ins a CPU-second', 'sign-ins/s', 'the first: a CPU-second', 'memory a client, kB', 'failed'],
  SERVERS.map((name) => [
    { edge: 'Access Edge', kamailio: 'Kamailio', bare: 'bare node:tls' }[name],
    efficiency(laters(name)),
    rate(laters(name)),
    efficiency(firsts(name)),
    (memory(storms[name]) / 1e3).toFixed(1),
    failed(storms[name]),
  ]),
)}

Sign-ins, ratio to Kamailio ${signIns.text}; floor 1: ${signIns.middle >= 1 ? 'met' : '**missed**'}. Of the first storm: ${cold.middle.toFixed(2)}.
Memory, ratio to the bare server **${(memory(storms.edge) / memory(storms.bare)).toFixed(2)}** (at most 1.25), to Kamailio
**${(memory(storms.edge) / memory(storms.kamailio)).toFixed(2)}** (at most 1).
`;
}
