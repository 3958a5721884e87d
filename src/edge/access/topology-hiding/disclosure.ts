import ipaddr from 'ipaddr.js';

export interface DisclosureScope {
  /** Hosts that everybody may see: SIP domains, external names and addresses. */
  readonly publicHosts: readonly string[];
  /** Names and addresses of the internal side. */
  readonly internalHosts: readonly string[];
  /** CIDR blocks. */
  readonly internalNetworks: readonly string[];
}

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

const IPV4 = /\d{1,3}(?:\.\d{1,3}){3}/g;
const IPV6 = /[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}/gi;

/** What may be shown outside: hosts by a list of those that may, texts by absence of those that may not. */
export class Disclosure {
  readonly #public: ReadonlySet<string>;
  readonly #internal: ReadonlySet<string>;
  readonly #names: readonly string[];
  readonly #networks: readonly Network[];

  constructor(scope: DisclosureScope) {
    this.#public = new Set(scope.publicHosts.map(canonicalHost));
    const internal = scope.internalHosts.map(canonicalHost).filter((host) => !this.#public.has(host));
    this.#internal = new Set(internal);
    this.#names = internal.filter((host) => !ipaddr.isValid(host));
    this.#networks = scope.internalNetworks.map((network) => ipaddr.parseCIDR(network));
  }

  /** True for a host that may stand in a URI which clients see. */
  isPublic(host: string): boolean {
    return this.#public.has(canonicalHost(host));
  }

  /** True when a text names an internal host, or holds an address of the internal networks. */
  mentionsInternal(text: string): boolean {
    if (this.#names.length > 0) {
      const lower = text.toLowerCase();
      for (const name of this.#names) if (lower.includes(name)) return true;
    }
    return this.#mentionsAddress(text, IPV4) || (text.includes(':') && this.#mentionsAddress(text, IPV6));
  }

  #mentionsAddress(text: string, form: RegExp): boolean {
    for (const [match] of text.matchAll(form)) if (this.#isInternalAddress(match)) return true;
    return false;
  }

  #isInternalAddress(text: string): boolean {
    const host = canonicalHost(text);
    if (this.#internal.has(host)) return true;
    if (this.#public.has(host) || !ipaddr.isValid(host)) return false;
    const address = ipaddr.process(host);
    return this.#networks.some(([network, bits]) => {
      return network.kind() === address.kind() && address.match(network, bits);
    });
  }
}

/** Lower case, without brackets or a trailing dot; addresses in canonical text, IPv4 for IPv4-mapped ones. */
function canonicalHost(text: string): string {
  let host = text.toLowerCase();
  if (host.startsWith('[') && host.endsWith(']')) host = host.slice(1, -1);
  if (host.endsWith('.')) host = host.slice(0, -1);
  if (!host.includes(':') && !/^[0-9.]+$/.test(host)) return host;
  return ipaddr.isValid(host) ? ipaddr.process(host).toString() : host;
}
