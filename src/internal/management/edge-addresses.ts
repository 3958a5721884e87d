import { isIPv6 } from 'node:net';
import { err, failure, ok, type Result } from '#kernel';
import { DnsResolver, resolverPlaces } from '#platform/dns';
import type { ServiceContext } from '#platform/service';
import type { ManagedEdge } from './policies.ts';

/** Whom the store asks for names, and from where. */
export interface NameSource {
  /** management.resolvers; empty: those of the host. */
  readonly resolvers: readonly string[];
  /** Own addresses of this host. */
  readonly localAddresses: readonly string[];
}

/** Where the edges are: by the document, else by the DNS. */
export class EdgeAddresses {
  readonly #context: ServiceContext;
  #resolver: DnsResolver | undefined;
  #local: readonly string[] = [];
  #source = '';

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Another document; what is known stays when the same servers are asked. */
  adopt(source: NameSource): void {
    const text = JSON.stringify(source);
    if (text === this.#source) return;
    this.#source = text;
    this.#resolver?.close();
    const { clock, random, metrics } = this.#context;
    const own = [false, true].map((six) => source.localAddresses.find((one) => isIPv6(one) === six));
    this.#local = own.filter((address) => address !== undefined);
    const servers = resolverPlaces(source.resolvers);
    this.#resolver = new DnsResolver({ servers, localAddresses: this.#local, clock, random, metrics });
  }
  close(): void {
    this.#resolver?.close();
  }

  /** An address of a family that this host has, too. */
  async find({ name, address }: ManagedEdge): Promise<Result<string>> {
    if (address !== undefined) return ok(address);
    const resolver = this.#resolver;
    if (resolver === undefined) return err(failure('SLP-CFG-0049', name));
    const answers = await Promise.all(
      this.#local.map((own) => resolver.addresses(name, isIPv6(own) ? 6 : 4)),
    );
    const [found] = answers.flatMap((answer) => (answer.ok ? answer.value.values : []));
    if (found !== undefined) return ok(found);
    const [why] = answers.flatMap((answer) =>
      answer.ok ? [] : [`${answer.error.code} ${answer.error.message}`],
    );
    return err(failure('SLP-CFG-0049', `${name}: ${why ?? 'this host has no address'}`));
  }
}
