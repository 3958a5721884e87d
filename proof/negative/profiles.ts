import { addresses, edgeNames, type Family } from '../network/addresses.ts';
import { tunnelled } from '../observe/edge-state.ts';
import { observing } from '../observe/observer.ts';
import { portsText } from '../observe/ports.ts';
import type { Profile } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import { playTcpTunnel } from '../rows/tcp-relay.ts';
import { playTunnelCalls } from '../rows/tunnel-calls.ts';
import type { NegativeCheck } from './finding.ts';
import { sweepFromInternet } from './inbound.ts';
import { tryFrames } from './outbound.ts';

const { edge1, partner, foreignEdge } = addresses;
const CALLS = 50;
const RELAYED = 50_123;

/** Checks of a perimeter that runs with other media profiles than the rows did. */
export interface ProfileChecks {
  readonly profiles: readonly Profile[];
  readonly checks: readonly NegativeCheck[];
}

/**
 * The relay range under each profile but the widest, under which everything else was swept: `ice` opens it outward,
 * `edge-tunnel` not at all.
 */
export const profileChecks: readonly ProfileChecks[] = [
  { profiles: ['ice'], checks: rangeSweeps('ice') },
  {
    profiles: ['edge-tunnel'],
    checks: [
      ...rangeSweeps('edge-tunnel'),
      {
        name: `edge-tunnel: ${CALLS} calls each way with another organisation, in each family, and streams, the range closed`,
        run: callsThroughTunnel,
      },
    ],
  },
];

function rangeSweeps(profile: Profile): NegativeCheck[] {
  return [
    {
      name: `${profile}: from the Internet, every port of an A/V address`,
      async run(perimeter) {
        const { v4, v6 } = edge1.av;
        return [...(await sweepFromInternet(perimeter, v4)), ...(await sweepFromInternet(perimeter, v6))];
      },
    },
    {
      name: `${profile}: from the relay range of an edge without its rules, every port outside`,
      run: (perimeter) =>
        tryFrames(perimeter, {
          edge: 'edge1',
          source: edge1.av,
          target: 'partner',
          destination: partner,
          sourcePort: RELAYED,
        }),
    },
  ];
}

/** Alice calls dora and dora calls alice, by either edge; all that comes to the other organisation is its 3478 and its 443. */
async function callsThroughTunnel(perimeter: Perimeter): Promise<string[]> {
  for (const edge of edgeNames)
    for (const family of [4, 6] as const)
      await playTunnelCalls(perimeter, { edge, family, from: 'alice', count: 1, patient: true });
  const before = await tunnelled(perimeter, 'foreignEdge');
  const arrived = await observing(
    [[perimeter.host('foreignEdge'), [{ point: 'wire', what: 'ports' }]]],
    async ([observer]) => {
      for (const family of [4, 6] as const)
        for (const from of ['alice', 'dora'] as const) await playShare(perimeter, family, from);
      for (const edge of edgeNames)
        for (const family of [4, 6] as const) await playTcpTunnel(perimeter, edge, family);
      return (await observer?.ports()) ?? new Map<string, ReadonlySet<number>>();
    },
  );
  const after = await tunnelled(perimeter, 'foreignEdge');
  const findings: string[] = [];
  for (const address of [foreignEdge.av.v4, foreignEdge.av.v6]) {
    for (const [transport, expected] of [
      ['tcp', 443],
      ['udp', 3478],
    ] as const) {
      const others = [...(arrived.get(`${address} ${transport}`) ?? [])].filter((port) => port !== expected);
      if (others.length > 0)
        findings.push(`${address} ${transport} ${portsText(others)} arrived beside ${expected}`);
    }
  }
  const exchanged = [after.sent - before.sent, after.received - before.received];
  const expected = 4 * CALLS;
  if (exchanged.some((count) => count !== expected))
    findings.push(
      `${exchanged.join(' sent and ')} received by the tunnel, and ${expected} each way were said`,
    );
  return findings;
}

async function playShare(perimeter: Perimeter, family: Family, from: 'alice' | 'dora'): Promise<void> {
  await Promise.all(
    edgeNames.map((edge) =>
      playTunnelCalls(perimeter, { edge, family, from, count: CALLS / edgeNames.length, patient: false }),
    ),
  );
}
