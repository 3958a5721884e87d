import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES, NAMES, PORTS } from './bench-folder.ts';
import { processorSeconds } from './processor-time.ts';
import { quantile } from './report.ts';
import { SipLoad, startNextHop } from './sip-load.ts';

/** One round of load, asked of the load process. */
export interface SipRound {
  readonly proxy: { readonly host: string; readonly port: number };
  /** Root of the process tree whose processor time counts. */
  readonly pid: number;
  readonly connections: number;
  readonly warmMs: number;
  readonly ms: number;
  /** MESSAGEs under way in all; ignored when there is a rate. */
  readonly underWay: number;
  /** MESSAGEs a second. */
  readonly rate?: number;
}

export interface SipFigures {
  readonly tls: string;
  readonly completed: number;
  readonly failed: number;
  /** How long was measured. */
  readonly seconds: number;
  /** Of the proxy. */
  readonly processorSeconds: number;
  /** Of the load itself. */
  readonly loadProcessorSeconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const folder = process.argv[2] ?? '.';
const file = (name: string) => `${folder}/${name}`;

await startNextHop({
  address: ADDRESSES.nextHop,
  port: PORTS.nextHop,
  certificate: file('next-hop.pem'),
  key: file('next-hop.key'),
  authority: file('ca.pem'),
});
process.on('disconnect', () => process.exit());
process.on('message', (round: SipRound) => {
  play(round).then(
    (figures) => process.send?.({ figures }),
    (problem: unknown) => process.send?.({ problem: String(problem) }),
  );
});
process.send?.({ ready: true });

async function play(round: SipRound): Promise<SipFigures> {
  const load = new SipLoad({
    proxy: round.proxy,
    localAddress: ADDRESSES.clients,
    domain: NAMES.domain,
    servername: NAMES.access,
    authority: file('ca.pem'),
    connections: round.connections,
  });
  try {
    const tls = await load.signIn();
    const stop = round.rate === undefined ? load.saturate(round.underWay) : load.pace(round.rate);
    await delay(round.warmMs);
    const figures = await measure(load, round);
    stop();
    // What is still under way comes home before its connections go.
    await delay(200);
    return { tls, ...figures };
  } finally {
    load.close();
  }
}

async function measure(load: SipLoad, round: SipRound): Promise<Omit<SipFigures, 'tls'>> {
  const { counts } = load;
  const before = { completed: counts.completed, failed: counts.failed };
  const ownBefore = process.cpuUsage();
  const processorBefore = processorSeconds(round.pid);
  const begun = performance.now();
  counts.timed = true;
  await delay(round.ms);
  const seconds = (performance.now() - begun) / 1000;
  const completed = counts.completed - before.completed;
  const used = processorSeconds(round.pid) - processorBefore;
  counts.timed = false;
  const own = process.cpuUsage(ownBefore);
  return {
    completed,
    failed: counts.failed - before.failed,
    seconds,
    processorSeconds: used,
    loadProcessorSeconds: (own.user + own.system) / 1e6,
    p50: quantile(counts.latencies, 0.5),
    p99: quantile(counts.latencies, 0.99),
  };
}
