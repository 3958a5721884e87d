import { endWithUs } from '../../src/apps/lab/testing/end-with-us.ts';
import {
  type AddressPair,
  addresses,
  edgeSides,
  internalNetworks,
  type WireName,
  wires,
} from './addresses.ts';
import { run, runNow, until } from './command.ts';
import { Host } from './host.ts';
import { leftovers, OWN } from './leftovers.ts';

const hostNames = [
  'alice',
  'carol',
  'partner',
  'provider',
  'xmppPartner',
  'outsideServers',
  'externalFirewall',
  'edge1',
  'edge2',
  'internalFirewall',
  'frontEnd',
  'counterparts',
  'bob',
  'foreignEdge',
  'dora',
] as const;
export type HostName = (typeof hostNames)[number];

/** A host's plug into a wire. */
interface Plug {
  readonly host: HostName;
  readonly wire: WireName;
  /** Name of the interface in the host. */
  readonly name: string;
  readonly addresses: readonly AddressPair[];
  /** Where everything else is reached by way of this wire. */
  readonly gateway?: AddressPair;
}

const { externalFirewall, internalFirewall, edge1, edge2, foreignEdge } = addresses;
const outside = { wire: 'outside', name: 'eth', gateway: externalFirewall.outside } as const;
const inside = { wire: 'inside', name: 'eth', gateway: internalFirewall.inside } as const;
const edgeOutside = { wire: 'edgeOutside', name: 'ext', gateway: externalFirewall.edges } as const;

const plugs: readonly Plug[] = [
  { ...outside, host: 'alice', addresses: [addresses.alice] },
  { ...outside, host: 'carol', addresses: [addresses.carol] },
  { ...outside, host: 'partner', addresses: [addresses.partner] },
  { ...outside, host: 'provider', addresses: [addresses.provider] },
  { ...outside, host: 'xmppPartner', addresses: [addresses.xmppPartner] },
  { ...outside, host: 'outsideServers', addresses: [addresses.resolver, addresses.revocation] },
  { host: 'externalFirewall', wire: 'outside', name: 'out', addresses: [externalFirewall.outside] },
  { host: 'externalFirewall', wire: 'edgeOutside', name: 'edges', addresses: [externalFirewall.edges] },
  { ...edgeOutside, host: 'edge1', addresses: [edge1.access, edge1.webConferencing, edge1.av] },
  { ...edgeOutside, host: 'edge2', addresses: [edge2.access, edge2.webConferencing, edge2.av] },
  { host: 'edge1', wire: 'edgeInside', name: 'int', addresses: [edge1.internal] },
  { host: 'edge2', wire: 'edgeInside', name: 'int', addresses: [edge2.internal] },
  { host: 'internalFirewall', wire: 'edgeInside', name: 'edges', addresses: [internalFirewall.edges] },
  { host: 'internalFirewall', wire: 'inside', name: 'in', addresses: [internalFirewall.inside] },
  { ...inside, host: 'frontEnd', addresses: [addresses.frontEnd] },
  { ...inside, host: 'counterparts', addresses: [addresses.counterparts] },
  { ...inside, host: 'bob', addresses: [addresses.bob] },
  { host: 'foreignEdge', wire: 'foreignInside', name: 'int', addresses: [foreignEdge.internal] },
  { ...outside, name: 'ext', host: 'foreignEdge', addresses: [foreignEdge.av] },
  {
    host: 'dora',
    wire: 'foreignInside',
    name: 'eth',
    addresses: [addresses.dora],
    gateway: foreignEdge.internal,
  },
];

const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'] as const;
/** Packets that come by the wrong way must be stopped by the rules, not by the kernel's own check of their way. */
const NO_PATH_CHECK = ['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0'];
const NO_BRIDGE_RULES = ['iptables', 'ip6tables'].map((which) => `net.bridge.bridge-nf-call-${which}=0`);
const NAMESPACES = '/run/netns';
const END_MS = 5_000;

/**
 * The hosts of a perimeter and the wires between them, without a way out of the machine. Its namespaces are named
 * after the process that made them, so runs side by side do not meet, and what a killed run left is known.
 */
export class PerimeterNetwork {
  readonly #hosts = new Map<HostName, Host>(hostNames.map((name) => [name, new Host(name, `${OWN}${name}`)]));

  /** Builds it; it is removed however this process ends. */
  static async build(): Promise<PerimeterNetwork> {
    for (const space of leftovers(NAMESPACES)) removeNamespace(space);
    const network = new PerimeterNetwork();
    endWithUs(() => network.#removeNow());
    await network.#lay();
    await network.#route();
    return network;
  }

  host(name: HostName): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new TypeError(`no host ${name}`);
    return host;
  }
  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /**
   * Every interface that is neither loopback nor one that this network made, and every plug whose other end is outside
   * it: ways out of the machine. Read from the kernel's lists, not tried.
   */
  async waysOut(): Promise<string[]> {
    const spaces = [...this.#namespaces()];
    const found: string[] = [];
    for (const space of spaces) {
      const inSpace = new Host(space, space);
      const links = JSON.parse(await inSpace.run('ip', ['-j', '-d', 'link', 'show'])) as Link[];
      const known = JSON.parse((await inSpace.run('ip', ['-j', 'netns', 'list-id'])) || '[]') as Neighbour[];
      for (const { ifname, linkinfo, link_netnsid } of links) {
        const neighbour = known.find(({ nsid }) => nsid === link_netnsid)?.name;
        const ours = linkinfo?.info_kind === 'veth' && neighbour !== undefined && spaces.includes(neighbour);
        if (ifname !== 'lo' && linkinfo?.info_kind !== 'bridge' && !ours) found.push(`${space}: ${ifname}`);
      }
    }
    return found;
  }

  /** Ends every process in it by its id and removes it. */
  async remove(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.#signal(signal) === 0) break;
      await until(
        'the processes of the perimeter ended',
        () => this.#pids().length === 0 || undefined,
        END_MS,
      )
        // Those that do not listen are killed next.
        .catch(() => {});
    }
    this.#removeNow();
  }

  async #lay(): Promise<void> {
    const spaces = [...this.#namespaces()];
    const add = spaces.map((space) => `netns add ${space}`);
    // Made where they belong: no end of a wire is ever in the machine's own namespace.
    const veth = plugs.map(({ host, wire, name }) => {
      return `link add ${name} netns ${this.host(host).namespace} type veth peer name ${peerName(host)} netns ${this.#wire(wire)}`;
    });
    await run('ip', ['-batch', '-'], `${[...add, ...veth].join('\n')}\n`);
    await Promise.all(
      (Object.keys(wires) as WireName[]).map(async (wire) => {
        const ports = plugs.filter((plug) => plug.wire === wire).map(({ host }) => peerName(host));
        const inWire = new Host(wire, this.#wire(wire));
        // A switch is no firewall; `-e`: machines whose kernel makes none of it have no such settings.
        await inWire.run('sysctl', ['-qew', ...NO_BRIDGE_RULES]);
        await inWire.ip([
          'link add name switch type bridge',
          'link set switch up',
          ...ports.flatMap((port) => [`link set ${port} master switch`, `link set ${port} up`]),
        ]);
      }),
    );
  }

  async #route(): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        const router = host.name.endsWith('Firewall') ? 1 : 0;
        const settings = [...NO_PATH_CHECK, ...FORWARDING.map((name) => `${name}=${router}`)];
        await host.run('sysctl', ['-qw', ...settings]);
        const own = plugs.filter((plug) => plug.host === host.name);
        await host.ip(['link set lo up', ...own.flatMap(plugLines), ...wrongWays(host.name)]);
      }),
    );
  }

  #wire(wire: WireName): string {
    return `${OWN}wire-${wire}`;
  }
  *#namespaces(): Iterable<string> {
    for (const { namespace } of this.hosts) yield namespace;
    for (const wire of Object.keys(wires) as WireName[]) yield this.#wire(wire);
  }
  #pids(): number[] {
    return [...this.#namespaces()].flatMap(pidsIn);
  }
  #signal(signal: 'SIGTERM' | 'SIGKILL'): number {
    const pids = this.#pids();
    for (const pid of pids) endProcess(pid, signal);
    return pids.length;
  }
  #removeNow(): void {
    for (const space of this.#namespaces()) removeNamespace(space);
  }
}

interface Link {
  readonly ifname: string;
  /** The namespace of the other end of a veth pair, by the number that this namespace knows it by. */
  readonly link_netnsid?: number;
  readonly linkinfo?: { readonly info_kind?: string };
}

interface Neighbour {
  readonly nsid: number;
  readonly name?: string;
}

/** An interface's name has at most 15 characters. */
function peerName(host: HostName): string {
  return host.slice(0, 15);
}

function plugLines({ wire, name, addresses: own, gateway }: Plug): string[] {
  const bits = (network: string) => network.slice(network.indexOf('/'));
  return [
    ...own.flatMap(({ v4, v6 }) => [
      `addr add ${v4}${bits(wires[wire].v4)} dev ${name}`,
      // Without `nodad` a listener cannot bind the address for a second or two.
      `addr add ${v6}${bits(wires[wire].v6)} dev ${name} nodad`,
    ]),
    `link set ${name} up`,
    ...(gateway === undefined
      ? []
      : [`route add default via ${gateway.v4}`, `route add default via ${gateway.v6}`]),
  ];
}

/**
 * Routes through the edges, in both directions, and from the edges into the internal network: what does not pass is
 * stopped by a rule, never by a route that happens to be missing.
 */
function wrongWays(host: string): string[] {
  const via = (networks: readonly string[], gateway: AddressPair) =>
    networks.map((network) => {
      const six = network.includes(':');
      return `route add ${network} via ${six ? gateway.v6 : gateway.v4}`;
    });
  const one = ({ v4, v6 }: AddressPair) => [`${v4}/32`, `${v6}/128`];
  if (host === 'externalFirewall')
    return [
      ...via(internalNetworks, edge1.access),
      ...via(one(edge1.internal), edge1.access),
      ...via(one(edge2.internal), edge2.access),
    ];
  if (host === 'internalFirewall')
    return [
      ...via(['default', '::/0'], edge1.internal),
      ...edgeSides
        .filter((side) => side !== 'internal')
        .flatMap((side) => [
          ...via(one(edge1[side]), edge1.internal),
          ...via(one(edge2[side]), edge2.internal),
        ]),
    ];
  if (host === 'edge1' || host === 'edge2') return via(internalNetworks, internalFirewall.edges);
  return [];
}

function pidsIn(space: string): number[] {
  return (runNow('ip', ['netns', 'pids', space]) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

function endProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself meanwhile.
  }
}

function removeNamespace(space: string): void {
  for (const pid of pidsIn(space)) endProcess(pid, 'SIGKILL');
  runNow('ip', ['netns', 'del', space]);
}
