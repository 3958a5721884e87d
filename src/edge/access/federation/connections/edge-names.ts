import { isIPv6 } from 'node:net';
import { DnsResolver, type Resolver, resolverPlaces } from '#platform/dns';
import type { ServiceContext } from '#platform/service';

/** Whom the edge asks, and from where. */
export interface NameSource {
  /** host.resolvers; empty: those of the host. */
  readonly resolvers: readonly string[];
  /** External addresses of this service. */
  readonly localAddresses: readonly string[];
}

/** The name service of the running document (port rows ext-03 and ext-04): asked from the Access address. */
export class EdgeNames implements Resolver {
  readonly #context: ServiceContext;
  #resolver: DnsResolver | undefined;
  #source = '';

  constructor(context: ServiceContext, source: NameSource) {
    this.#context = context;
    this.adopt(source);
  }

  /** Another document; what is known stays when the same servers are asked. */
  adopt(source: NameSource): void {
    const text = JSON.stringify(source);
    if (text === this.#source) return;
    this.#source = text;
    this.#resolver?.close();
    const { clock, random, metrics, events } = this.#context;
    this.#resolver = new DnsResolver({
      servers: resolverPlaces(source.resolvers),
      localAddresses: oneOfEachFamily(source.localAddresses),
      clock,
      random,
      metrics,
      events,
    });
  }
  close(): void {
    this.#resolver?.close();
  }

  addresses(name: string, family: 4 | 6): ReturnType<DnsResolver['addresses']> {
    return this.#open().addresses(name, family);
  }
  services(name: string): ReturnType<DnsResolver['services']> {
    return this.#open().services(name);
  }

  #open(): DnsResolver {
    if (this.#resolver === undefined) throw new Error('no resolver');
    return this.#resolver;
  }
}

function oneOfEachFamily(addresses: readonly string[]): string[] {
  const four = addresses.find((address) => !isIPv6(address));
  const six = addresses.find(isIPv6);
  return [four, six].filter((address) => address !== undefined);
}
