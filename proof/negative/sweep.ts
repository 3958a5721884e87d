import { rmSync, writeFileSync } from 'node:fs';
import { until } from '../network/command.ts';
import type { Host } from '../network/host.ts';
import type { Observer } from '../observe/observer.ts';
import { targetText } from '../observe/ports.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import { everyPort, PORTS } from './packets.ts';

/** An interface of a host. */
export interface Plug {
  readonly host: Host;
  readonly interface: string;
}

/** Packets to every port of some addresses. */
export interface SweepOrder {
  /** Where the frames are put on the wire, and who takes them there. */
  readonly from: Plug;
  readonly to: Plug;
  /** What they say: the senders of each family, and the addresses asked. */
  readonly source: { readonly v4: string; readonly v6: string };
  readonly destinations: readonly string[];
  readonly sourcePort: number;
}

const ATTEMPTS = 3;
const SETTLE_MS = 2_000;
/** Below the ports that the kernel gives to programs, so that a sweep's packets are told apart from all others. */
const FIRST_SOURCE_PORT = 20_001;
let used = 0;

/** A source port that no sweep has had: what was said before about a flow does not count for the next. */
export function newSourcePort(): number {
  used += 1;
  return FIRST_SOURCE_PORT + used - 1;
}

/**
 * Sends a packet to each of 65535 TCP and UDP ports of every destination. Resolves when the witness, the host that
 * takes the frames from the wire, has counted every one of them: a sweep that lost packets proves nothing.
 *
 * @param witness its first watch counts packets
 */
export async function sweep(
  perimeter: Perimeter,
  order: SweepOrder,
  witness: Observer | undefined,
): Promise<void> {
  if (witness === undefined) throw new TypeError('nobody counts the sweep');
  const [fromMac, toMac] = await Promise.all([macOf(order.from), macOf(order.to)]);
  const file = perimeter.files.path(`sweep-${order.sourcePort}.pcap`);
  try {
    for (const destination of order.destinations) {
      const source = destination.includes(':') ? order.source.v6 : order.source.v4;
      writeFileSync(file, everyPort({ ...order, fromMac, toMac, source, destination }));
      await sendAll(order.from, file, destination, witness);
    }
  } finally {
    rmSync(file, { force: true });
  }
}

async function sendAll(from: Plug, file: string, destination: string, witness: Observer): Promise<void> {
  const targets = [targetText(destination, 'tcp'), targetText(destination, 'udp')];
  const counted = async () => {
    const packets = await witness.packets();
    return targets.map((target) => packets.get(target) ?? 0);
  };
  for (let attempt = 1; ; attempt += 1) {
    const before = await counted();
    await from.host.run('tcpreplay', [
      '--quiet',
      '--topspeed',
      '--preload-pcap',
      `--intf1=${from.interface}`,
      file,
    ]);
    const complete = () =>
      counted().then((now) => now.every((count, at) => count - (before[at] ?? 0) >= PORTS));
    const arrived = await until('the sweep', async () => (await complete()) || undefined, SETTLE_MS).catch(
      () => false,
    );
    if (arrived) return;
    if (attempt === ATTEMPTS) throw new Error(`not all of the sweep of ${destination} came to the wire`);
  }
}

async function macOf({ host, interface: name }: Plug): Promise<string> {
  const [link] = JSON.parse(await host.run('ip', ['-j', 'link', 'show', 'dev', name])) as {
    address: string;
  }[];
  if (link === undefined) throw new Error(`${host.name} has no interface ${name}`);
  return link.address;
}
