import { addresses } from '../network/addresses.ts';
import type { HostName } from '../network/perimeter-network.ts';
import { chainAt, insertRule, loadRules } from '../observe/rule-counters.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import { sweepFromInternet, sweepPast } from './inbound.ts';
import { tryFrames } from './outbound.ts';
import { listeningSockets } from './standing.ts';

/** A fault put in on purpose: the proof is worth something when it finds it. */
export interface Experiment {
  readonly name: string;
  /** Puts the fault in; gives the way back. */
  inject(perimeter: Perimeter): Promise<() => Promise<void>>;
  /** The checks of the proof that have to find it. */
  look(perimeter: Perimeter): Promise<string[]>;
  /** One for each finding that has to be there. */
  readonly expected: readonly RegExp[];
}

const { edge1, bob } = addresses;
const PORT = 8443;

export const experiments: readonly Experiment[] = [
  {
    name: 'a socket bound to every address',
    inject: (perimeter) => listenOn(perimeter, '::', PORT),
    look: (perimeter) => listeningSockets.run(perimeter),
    expected: [/edge1: tcp \S*8443 is bound to every address \(process \d+\)/],
  },
  {
    name: 'a service at the wrong interface',
    inject: (perimeter) => listenOn(perimeter, edge1.access.v4, 5062),
    look: (perimeter) => listeningSockets.run(perimeter),
    expected: [
      /edge1: tcp 198\.51\.100\.11:5062 is no listener of the plan: int-05 belongs on the internal interface/,
    ],
  },
  {
    name: 'a rule that nobody planned, on the external firewall and on the edge',
    inject: (perimeter) => {
      return acceptOn(perimeter, { externalFirewall: 'forward', edge1: 'input' }, `tcp dport ${PORT} accept`);
    },
    look: (perimeter) => sweepFromInternet(perimeter, edge1.access.v6),
    expected: [
      /^at the interface: 2001:db8:51::11 tcp 8443 arrived, and no row of the plan opens it$/,
      /^past the rules of the edge: 2001:db8:51::11 tcp 8443 arrived, and no row of the plan opens it$/,
    ],
  },
  {
    name: 'a rule that nobody planned, on the edge alone',
    inject: (perimeter) => acceptOn(perimeter, { edge1: 'input' }, `udp dport ${PORT} accept`),
    look: (perimeter) => sweepPast(perimeter, 'edge1', [edge1.internal.v4]),
    expected: [/^past the rules of edge1: 10\.45\.16\.11 udp 8443 arrived, and no row of the plan opens it$/],
  },
  {
    name: 'a rule that lets an edge reach a client inside',
    inject: (perimeter) => acceptOn(perimeter, { internalFirewall: 'forward' }, 'tcp dport 445 accept'),
    look: (perimeter) =>
      tryFrames(perimeter, { edge: 'edge1', source: edge1.internal, target: 'bob', destination: bob }),
    expected: [
      /bob.*: 10\.45\.32\.50 tcp 445 arrived, and no row/,
      /bob.*: fd45:0:0:32::50 tcp 445 arrived, and no row/,
    ],
  },
];

/** What went wrong with an experiment; empty when the fault was found, and not found any more without it. */
export async function perform(perimeter: Perimeter, experiment: Experiment): Promise<string[]> {
  const undo = await experiment.inject(perimeter);
  let found: string[];
  try {
    found = await experiment.look(perimeter);
  } finally {
    await undo();
  }
  const missed = experiment.expected.filter((pattern) => !found.some((line) => pattern.test(line)));
  const left = await experiment.look(perimeter);
  return [
    ...missed.map((pattern) => `not found: ${pattern}`),
    ...(found.length > experiment.expected.length ? found.map((line) => `found: ${line}`) : []),
    ...left.map((line) => `still there without the fault: ${line}`),
  ];
}

async function listenOn(perimeter: Perimeter, address: string, port: number): Promise<() => Promise<void>> {
  const actor = perimeter.actor('edge1');
  await actor.call('listenTcp', { address, port });
  return () => actor.call('closeTcp', {});
}

type Place = Partial<Record<'externalFirewall' | 'internalFirewall' | 'edge1', 'forward' | 'input'>>;

/** Puts a rule before all others; the way back is to load the generated rules again. */
async function acceptOn(perimeter: Perimeter, places: Place, rule: string): Promise<() => Promise<void>> {
  const entries = Object.entries(places) as [HostName & keyof Place, 'forward' | 'input'][];
  for (const [name, hook] of entries) {
    const host = perimeter.host(name);
    await insertRule(host, await chainAt(host, hook), rule);
  }
  return async () => {
    for (const [name] of entries) await loadRules(perimeter.host(name), perimeter.rules(name));
  };
}
