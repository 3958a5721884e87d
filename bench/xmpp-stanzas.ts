import { join } from 'node:path';
import { LabAuthority } from '#platform/pki';
import { ADDRESSES, NAMES } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge } from './lib/edge-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram } from './lib/pinned-process.ts';
import { PROSODY, startProsody } from './lib/prosody-server.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';
import type { XmppFigures, XmppRound } from './lib/xmpp-load-process.ts';

/*
 * Messages of XMPP partners: the XMPP proxy (TLS from partners, mutual TLS to the gateway) beside Prosody (TLS from
 * partners, to a component), in one run. README.md says what the figures mean.
 */

const SECRET = 'of the component';
const PARTNERS = 100;
const STREAMS_EACH = [1, 10] as const;
const UNDER_WAY = 512;
const FLOOR = 1.5;

type Target = Pick<XmppRound, 'server' | 'end' | 'to' | 'pid'> & { readonly name: string };
type Load = LoadProcess<XmppRound, XmppFigures>;

await runBench(async (folder) => {
  demandProgram('prosody', 'prosody');
  const rounds = roundsAsked(3);
  // One authority for everything, as in the other benchmarks, but with the partners' names on one certificate.
  const authority = await LabAuthority.create({ name: 'Benchmark' });
  await authority.writeCertificate(folder.file('ca.pem'));
  const issue = (name: string, hosts: readonly string[]) =>
    authority.issueTo(
      { certificate: folder.file(`${name}.pem`), key: folder.file(`${name}.key`) },
      { name, hosts },
    );
  const domains = Array.from({ length: PARTNERS }, (_, number) => `partner${number}.${NAMES.domain}`);
  await issue('xmpp-partner', domains);
  await issue('access', [NAMES.access, NAMES.domain, PROSODY.component, 'prosody.bench.test']);
  await issue('edge', [NAMES.edge]);
  await issue('next-hop', [NAMES.nextHop]);
  const edge = await startEdge(folder, {
    host: { partnerCa: 'ca.pem' },
    policy: {
      features: { xmpp: true },
      revocation: { shortLivedDays: 60 },
      xmpp: {
        partners: domains.map((domain) => ({ domain })),
        limits: { connections: 3000, stanzasPerSecond: 100_000 },
      },
    },
  });
  const prosody = await startProsody(folder, SECRET);
  const load: Load = await LoadProcess.start(join(import.meta.dirname, 'lib/xmpp-load-process.ts'), [
    folder.path,
  ]);
  const ours: Target = {
    name: 'XMPP proxy',
    pid: edge.pid,
    server: { host: ADDRESSES.external, port: 5269 },
    end: { kind: 'gateway', host: ADDRESSES.internal, port: 23456 },
    to: NAMES.domain,
  };
  const theirs: Target = {
    name: 'Prosody',
    pid: prosody.pid,
    server: { host: ADDRESSES.peerServer, port: PROSODY.port },
    end: { kind: 'component', host: ADDRESSES.peerServer, port: PROSODY.componentPort, secret: SECRET },
    to: PROSODY.component,
  };
  const idle = [];
  for (const target of [ours, theirs])
    idle.push(await play(load, target, { streamsEach: 10, underWay: 0, ms: 2000 }));
  for (const target of [ours, ours, theirs])
    await play(load, target, { streamsEach: 1, underWay: UNDER_WAY, ms: 3000 });
  const compared = [];
  for (const streamsEach of STREAMS_EACH) {
    const figures: [XmppFigures[], XmppFigures[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const [index, target] of [ours, theirs].entries())
        figures[index]?.push(await play(load, target, { streamsEach, underWay: UNDER_WAY, ms: 3000 }));
    }
    compared.push({ streamsEach, ours: figures[0], theirs: figures[1] });
  }
  keepReport('xmpp-stanzas', report(compared, idle, rounds));
});

async function play(
  load: Load,
  { name, ...target }: Target,
  round: Pick<XmppRound, 'streamsEach' | 'underWay' | 'ms'>,
): Promise<XmppFigures> {
  const figures = await load.play({ ...target, ...round, partners: PARTNERS, warmMs: 500 });
  const { completed, seconds, residentBefore, residentAfter } = figures;
  const said =
    round.underWay > 0
      ? `${whole(perProcessorSecond(figures))} messages a CPU-second, ${whole(completed / seconds)}/s`
      : `${whole((residentAfter - residentBefore) / 1024 / (PARTNERS * round.streamsEach))} KiB an idle stream`;
  process.stdout.write(`${round.streamsEach} streams of each partner, ${name}: ${said}\n`);
  return figures;
}

function perProcessorSecond({ completed, processorSeconds }: XmppFigures): number {
  return completed / processorSeconds;
}

interface Compared {
  readonly streamsEach: number;
  readonly ours: readonly XmppFigures[];
  readonly theirs: readonly XmppFigures[];
}

function report(compared: readonly Compared[], idle: readonly XmppFigures[], rounds: number): string {
  const prosody = versionOf('prosodyctl', ['about'], /Prosody [\d.]+/);
  const ratios = compared.map(({ ours, theirs }) =>
    ratio(ours.map(perProcessorSecond), theirs.map(perProcessorSecond)),
  );
  const worst = Math.min(...ratios.map(({ middle }) => middle));
  const memory = idle.map(({ residentBefore, residentAfter }) =>
    whole((residentAfter - residentBefore) / 1024 / (PARTNERS * 10)),
  );
  const perCpu = (figures: readonly XmppFigures[]) => whole(median(figures.map(perProcessorSecond)));
  const perSecond = (figures: readonly XmppFigures[]) =>
    whole(median(figures.map(({ completed, seconds }) => completed / seconds)));
  return `# XMPP messages: XMPP proxy beside Prosody

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, ${prosody}.
${machine()}

${PARTNERS} partners, TLS from the first byte, SASL EXTERNAL; medians of ${rounds} alternating rounds with ${UNDER_WAY} messages under way.
The proxy judges each message, writes it anew, sends it over mutual TLS to a gateway and waits for its acknowledgement. Prosody
sends it to a component over plain TCP, and waits for nothing.

${table(
  [
    'streams of a partner',
    'proxy: messages a CPU-second',
    'Prosody',
    'ratio',
    'proxy: messages/s',
    'Prosody',
  ],
  compared.map(({ streamsEach, ours, theirs }, index) => [
    String(streamsEach),
    perCpu(ours),
    perCpu(theirs),
    ratios[index]?.text ?? '',
    perSecond(ours),
    perSecond(theirs),
  ]),
)}

Lowest ratio ${worst.toFixed(2)}; floor ${FLOOR}: ${worst >= FLOOR ? 'met' : '**missed**'}.

Memory of an idle stream, with ${PARTNERS * 10} open: proxy ${memory[0]} KiB, Prosody ${memory[1]} KiB (resident, whole process tree).
`;
}
