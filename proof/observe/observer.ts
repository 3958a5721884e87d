import type { Host } from '../network/host.ts';
import { addPort, type PortsByTarget, targetText } from './ports.ts';

/** Where on its way through a host a packet is written down. */
export type Point =
  /** As a program of the host sends it, before any rule of the host. */
  | 'sent'
  /** As it comes from the wire, before anything has looked at it. */
  | 'wire'
  /** After every rule of the host, on its way to a socket. */
  | 'delivered'
  /** After every rule of a router, on its way out again. */
  | 'forwarded';

const TABLE = 'sallyproof_';
let made = 0;
const HOOKS: Readonly<Record<Point, string>> = {
  sent: 'output priority -450',
  wire: 'prerouting priority -450',
  delivered: 'input priority 450',
  forwarded: 'forward priority 450',
};
const MOST_PORTS = 600_000;
const MOST_TARGETS = 4_000;

/** What an observer writes down. */
export interface Watch {
  readonly point: Point;
  /** Only packets with this source port: those of one sweep, and nothing of the programs that run beside it. */
  readonly sourcePort?: number;
  /** Only packets that open a flow. */
  readonly newFlows?: boolean;
  /** Every port, or only how many packets there were for each address and transport. */
  readonly what: 'ports' | 'packets';
  /** Nothing of it goes further: nobody answers a sweep that was only to arrive. */
  readonly swallow?: boolean;
}

/**
 * A table of rules beside those of the firewall, which lets everything pass and writes down what it sees. It is how
 * the proof knows what arrived, whatever any client believes about the answers.
 */
export class Observer {
  readonly #host: Host;
  readonly #table: readonly string[];

  private constructor(host: Host, table: readonly string[]) {
    this.#host = host;
    this.#table = table;
  }

  /** Begins; others may look at the same host meanwhile. */
  static async on(host: Host, watches: readonly Watch[]): Promise<Observer> {
    made += 1;
    const table = ['inet', `${TABLE}${made}`];
    const sets = watches.flatMap((watch, index) => [4, 6].map((family) => setText(watch, index, family)));
    const chains = watches.map(chainText);
    const text = [`table ${table.join(' ')} {`, ...sets, ...chains, '}', ''];
    await host.run('nft', ['-f', '-'], text.join('\n'));
    return new Observer(host, table);
  }

  /** The ports that arrived, by target. */
  async ports(watch = 0): Promise<PortsByTarget> {
    const seen = new Map<string, Set<number>>();
    for (const { concat } of await this.#elements(watch)) {
      const [, destination = '', transport, port] = concat;
      addPort(seen, targetText(`${destination}`, transport === 'tcp' ? 'tcp' : 'udp'), Number(port));
    }
    return seen;
  }
  /** The sources that packets came from. */
  async sources(watch = 0): Promise<Set<string>> {
    return new Set((await this.#elements(watch)).map(({ concat }) => `${concat[0]}`));
  }
  /** Packets by target. */
  async packets(watch = 0): Promise<ReadonlyMap<string, number>> {
    const seen = new Map<string, number>();
    for (const { concat, packets } of await this.#elements(watch)) {
      const target = targetText(`${concat[1]}`, concat[2] === 'tcp' ? 'tcp' : 'udp');
      seen.set(target, (seen.get(target) ?? 0) + packets);
    }
    return seen;
  }

  /** Stops, and forgets what it saw. */
  async end(): Promise<void> {
    await this.#host.run('nft', ['delete', 'table', ...this.#table]);
  }

  async #elements(watch: number): Promise<{ concat: (string | number)[]; packets: number }[]> {
    const both = await Promise.all([4, 6].map((family) => this.#list(`seen${watch}_${family}`)));
    return both.flat().map((element) => {
      if ('concat' in element) return { concat: element.concat, packets: 0 };
      return { concat: element.elem.val.concat, packets: element.elem.counter.packets };
    });
  }

  async #list(set: string): Promise<Element[]> {
    const text = await this.#host.run('nft', ['-j', 'list', 'set', ...this.#table, set]);
    const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: Element[] } }[] };
    return nftables.flatMap((entry) => entry.set?.elem ?? []);
  }
}

/** Observes some hosts while something happens there. */
export async function observing<Value>(
  places: readonly (readonly [host: Host, watches: readonly Watch[]])[],
  happen: (observers: readonly Observer[]) => Promise<Value>,
): Promise<Value> {
  const observers = await Promise.all(places.map(([host, watches]) => Observer.on(host, watches)));
  try {
    return await happen(observers);
  } finally {
    await Promise.all(observers.map((observer) => observer.end()));
  }
}

interface Concatenation {
  readonly concat: (string | number)[];
}
type Element =
  | Concatenation
  | { readonly elem: { readonly val: Concatenation; readonly counter: { readonly packets: number } } };

function setText({ what }: Watch, index: number, family: number): string {
  const address = `ipv${family}_addr`;
  const type = `${address} . ${address} . inet_proto${what === 'ports' ? ' . inet_service' : ''}`;
  const size = what === 'ports' ? MOST_PORTS : MOST_TARGETS;
  return `set seen${index}_${family} {\ntype ${type}\nflags dynamic\nsize ${size}\n}`;
}

function chainText({ point, sourcePort, newFlows, what, swallow }: Watch, index: number): string {
  const filter = [
    'meta l4proto { tcp, udp }',
    ...(sourcePort === undefined ? [] : [`th sport ${sourcePort}`]),
    ...(newFlows === true ? ['ct state new'] : []),
  ].join(' ');
  const update = (family: number, ip: string) => {
    const key = `${ip} saddr . ${ip} daddr . meta l4proto${what === 'ports' ? ' . th dport' : ' counter'}`;
    return `meta nfproto ipv${family} ${filter} update @seen${index}_${family} { ${key} }${swallow === true ? ' drop' : ''}`;
  };
  return `chain watch${index} {\ntype filter hook ${HOOKS[point]}\npolicy accept\n${update(4, 'ip')}\n${update(6, 'ip6')}\n}`;
}
