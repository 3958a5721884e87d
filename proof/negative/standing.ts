import { readFileSync } from 'node:fs';
import { networkContains } from '#platform/topology';
import { addresses, edgeNames, wires } from '../network/addresses.ts';
import type { Observer } from '../observe/observer.ts';
import { targetText, unplanned } from '../observe/ports.ts';
import { openSockets, socketDifferences } from '../observe/sockets.ts';
import type { NegativeCheck } from './finding.ts';

/** No host has an interface that leads elsewhere than to another host. */
export const noWayOut: NegativeCheck = {
  name: 'no host has a way out of the machine',
  run: async ({ network }) => (await network.waysOut()).map((way) => `${way} leads out`),
};

/** What listens on the edges is the plan, no more and no less, and nothing is bound to a wildcard. */
export const listeningSockets: NegativeCheck = {
  name: 'the sockets of the edges are those of the plan',
  run: async (perimeter) => {
    const findings = await Promise.all(
      edgeNames.map(async (edge) => {
        const open = await openSockets(perimeter.host(edge));
        return socketDifferences(perimeter.document(edge), open).map((line) => `${edge}: ${line}`);
      }),
    );
    return findings.flat();
  },
};

/** No process of the programs is root. */
export const unprivileged: NegativeCheck = {
  name: 'no process of the edges or of the next hop is privileged',
  async run(perimeter) {
    const findings: string[] = [];
    for (const program of [...edgeNames.map((edge) => perimeter.edge(edge)), perimeter.internal]) {
      const status = await program.status();
      const pids = [status?.pid, ...(status?.services ?? []).map(({ pid }) => pid)];
      for (const pid of pids) {
        const users = pid === undefined ? 'no process' : usersOf(pid);
        if (users === undefined) continue;
        findings.push(`${program.options.document}, process ${pid}: ${users}`);
      }
    }
    return findings;
  },
};

/** The numbers of the real, effective, saved and file system user, and the capabilities, from the kernel. */
function usersOf(pid: number): string | undefined {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const users = /^Uid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? ['0'];
  const capabilities = /^CapEff:\s+(\w+)$/m.exec(status)?.[1] ?? '';
  if (users.includes('0')) return `runs as users ${users.join(' ')}`;
  return /^0*$/.test(capabilities) ? undefined : `has the capabilities ${capabilities}`;
}

/** Relay peers in the documentation networks are refused until the document allows them. */
export const peersRefused: NegativeCheck = {
  name: 'the relay refuses peers that the document does not allow',
  async run(perimeter) {
    const alice = perimeter.actor('alice');
    const findings: string[] = [];
    for (const family of ['v4', 'v6'] as const) {
      const name = `refused ${family}`;
      const { username, password } = perimeter.files.relayCredential('alice');
      const server = { address: addresses.edge1.av[family], port: 3478, username, password };
      await alice.call('openRelay', { name, server, localAddress: addresses.alice[family] });
      for (const { [family]: address } of [addresses.partner, addresses.edge2.av, addresses.frontEnd]) {
        const outcome = await alice.call('connectRelay', { name, address, port: 9 }).then(
          () => 'permitted',
          (problem: Error) => problem.message,
        );
        if (!outcome.includes('403')) findings.push(`${address} as a relay peer: ${outcome}`);
      }
      await alice.call('closeRelay', { name });
    }
    return findings;
  },
};

/** Over the whole run, the edges opened nothing inside but the next hop's port. */
export function onlyTheNextHop(observer: Observer): NegativeCheck {
  return {
    name: 'in the whole run, the internal firewall let edges open flows to the next hop on 5061 only',
    async run() {
      const inside = [...(await observer.ports())].filter(([target]) => isInside(target.split(' ')[0] ?? ''));
      const { v4, v6 } = addresses.frontEnd;
      const nextHop = new Map([v4, v6].map((address) => [targetText(address, 'tcp'), new Set([5061])]));
      const seen = new Map(inside);
      if (seen.size === 0) return ['the internal firewall saw no flow at all'];
      return unplanned(seen, nextHop);
    },
  };
}

function isInside(address: string): boolean {
  return networkContains(wires.inside.v4, address) || networkContains(wires.inside.v6, address);
}
