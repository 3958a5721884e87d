import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES, NAMES, PORTS } from './bench-folder.ts';
import { processorSeconds, residentBytes } from './processor-time.ts';
import { CallLoad } from './sip-calls.ts';
import { LoadClient, startNextHop } from './sip-load.ts';

/** One round of load, asked of the load process. */
export type ClientsRound = {
  readonly proxy: { readonly host: string; readonly port: number };
  /** Root of the process tree whose processor time and memory count. */
  readonly pid: number;
} & (
  | {
      readonly kind: 'calls';
      readonly connections: number;
      readonly underWay: number;
      readonly warmMs: number;
      readonly ms: number;
    }
  /** So many clients connect and sign in, so many at a time, and then say nothing. */
  | { readonly kind: 'sign-in'; readonly clients: number; readonly atOnce: number; readonly settleMs: number }
);

export interface ClientsFigures {
  /** Calls, or sign-ins. */
  readonly completed: number;
  readonly failed: number;
  readonly seconds: number;
  /** Of the proxy. */
  readonly processorSeconds: number;
  /** Memory that the proxy holds more than before, when all are idle; 0 of calls. */
  readonly residentBytes: number;
}

const CLOSING_MS = 2_000;

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
process.on('message', (round: ClientsRound) => {
  const played = round.kind === 'calls' ? playCalls(round) : playSignIns(round);
  played.then(
    (figures) => process.send?.({ figures }),
    (problem: unknown) => process.send?.({ problem: String(problem) }),
  );
});
process.send?.({ ready: true });

function optionsOf({ proxy }: ClientsRound, connections: number) {
  const [localAddress, servername, authority] = [ADDRESSES.clients, NAMES.access, file('ca.pem')];
  return { proxy, localAddress, domain: NAMES.domain, servername, authority, connections };
}

async function playCalls(round: ClientsRound & { kind: 'calls' }): Promise<ClientsFigures> {
  const load = new CallLoad(optionsOf(round, round.connections));
  try {
    await load.signIn();
    load.begin(round.underWay);
    await delay(round.warmMs);
    const before = { ...load.counts };
    const processor = processorSeconds(round.pid);
    const begun = performance.now();
    await delay(round.ms);
    const figures = {
      completed: load.counts.completed - before.completed,
      failed: load.counts.failed - before.failed,
      seconds: (performance.now() - begun) / 1000,
      processorSeconds: processorSeconds(round.pid) - processor,
      residentBytes: 0,
    };
    load.stop();
    await delay(200);
    return figures;
  } finally {
    load.close();
  }
}

async function playSignIns(round: ClientsRound & { kind: 'sign-in' }): Promise<ClientsFigures> {
  const options = optionsOf(round, 1);
  const counts = { completed: 0, failed: 0, latencies: [], timed: false };
  const clients = Array.from(
    { length: round.clients },
    (_, index) => new LoadClient(options, `idle${index}`, counts),
  );
  const before = residentBytes(round.pid);
  const processor = processorSeconds(round.pid);
  const begun = performance.now();
  let next = 0;
  let failed = 0;
  const one = async (): Promise<void> => {
    for (let client = clients[next++]; client !== undefined; client = clients[next++]) {
      await client.signIn().catch(() => {
        failed += 1;
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: round.atOnce }, one));
    const seconds = (performance.now() - begun) / 1000;
    const used = processorSeconds(round.pid) - processor;
    await delay(round.settleMs);
    return {
      completed: round.clients - failed,
      failed,
      seconds,
      processorSeconds: used,
      residentBytes: residentBytes(round.pid) - before,
    };
  } finally {
    for (const client of clients) client.close();
    // What it takes to see them go belongs to no other round.
    await delay(CLOSING_MS);
  }
}
