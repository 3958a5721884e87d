import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface DisclosureScope {
  /** Hosts that everybody may see: SIP domains, external names and addresses. */
  readonly publicHosts: readonly string[];
  /** Names and addresses of the internal side. */
  readonly internalHosts: readonly string[];
  /** CIDR blocks. */
  readonly internalNetworks: readonly string[];
}

// At every position, so that no digit before an address hides it.
const IPV4 = /(?=(\d{1,3}(?:\.\d{1,3}){3}))/g;
const IPV6 = /([0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})/gi;
/** What has to be there for IPV6 to find anything. */
const COLONS = /:[0-9a-f]{0,4}:/i;
/** What has to be there for IPV4 to find anything. */
const DOTTED = /\d\.\d+\.\d+\.\d/;
/** A text with more than this that looks like addresses is not read on: it counts as telling one. */
const MOST_ADDRESSES = 64;

/** Verdicts that are kept, and the longest text that is worth it: together half a megabyte. */
const MOST_REMEMBERED = 1024;
const LONGEST_REMEMBERED = 256;

/** What may be shown outside: hosts by a list of those that may, texts by absence of those that may not. */
export class Disclosure {
  readonly #public: ReadonlySet<string>;
  readonly #internal: ReadonlySet<string>;
  readonly #names: readonly string[];
  /** `corp.example`: whatever lies in it is of the inside, although no document names it. */
  readonly #domains: readonly string[];
  readonly #networks = new BlockList();
  /** Of the texts asked about lately: every response names its two parties again. */
  #verdicts = new Map<string, boolean>();

  constructor(scope: DisclosureScope) {
    this.#public = new Set(scope.publicHosts.map(canonicalHost));
    const internal = scope.internalHosts.map(canonicalHost).filter((host) => !this.#public.has(host));
    this.#internal = new Set(internal);
    this.#names = internal.filter((host) => !ipaddr.isValid(host));
    this.#domains = [...new Set(this.#names.flatMap((name) => this.#domainOf(name)))];
    for (const network of scope.internalNetworks) {
      const [address, bits] = ipaddr.parseCIDR(network);
      this.#networks.addSubnet(address.toString(), bits, address.kind());
    }
  }

  /** True for a host that may stand in a URI which clients see. */
  isPublic(host: string): boolean {
    return this.#public.has(canonicalHost(host));
  }

  /** True when a text names an internal host, or holds an address of the internal networks. */
  mentionsInternal(text: string): boolean {
    if (text.length > LONGEST_REMEMBERED) return this.#mentions(text);
    const known = this.#verdicts.get(text);
    if (known !== undefined) return known;
    const verdict = this.#mentions(text);
    // Not emptied but replaced: the table of a Map that is emptied leads to the next one, and keeps it alive.
    if (this.#verdicts.size >= MOST_REMEMBERED) this.#verdicts = new Map();
    this.#verdicts.set(text, verdict);
    return verdict;
  }

  /** The domain that a name lies in, where nothing public does: servers behind the next hop have their names there, too. */
  #domainOf(name: string): string[] {
    const domain = name.slice(name.indexOf('.') + 1);
    if (!domain.includes('.')) return [];
    return [...this.#public].some((host) => `.${host}`.endsWith(`.${domain}`)) ? [] : [domain];
  }

  #mentions(text: string): boolean {
    if (text.includes('%') && this.mentionsInternal(withoutEscapes(text))) return true;
    if (this.#names.length > 0) {
      const lower = text.toLowerCase();
      for (const name of this.#names) if (lower.includes(name)) return true;
      for (const domain of this.#domains) if (hasNameIn(lower, domain)) return true;
    }
    if (DOTTED.test(text) && this.#mentionsAddress(text, IPV4)) return true;
    return COLONS.test(text) && this.#mentionsAddress(text, IPV6);
  }

  #mentionsAddress(text: string, form: RegExp): boolean {
    let read = 0;
    for (const match of text.matchAll(form)) {
      if (++read > MOST_ADDRESSES || this.#isInternalAddress(match[1] ?? '')) return true;
    }
    return false;
  }

  #isInternalAddress(text: string): boolean {
    const family = isIP(text);
    if (family === 0) return false;
    const host = family === 4 ? text : canonicalHost(text);
    if (this.#internal.has(host)) return true;
    return !this.#public.has(host) && this.#networks.check(text, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** Whether a text has the domain or a name in it; neither `xcorp.example` nor `corp.example.net` is in `corp.example`. */
function hasNameIn(text: string, domain: string): boolean {
  for (let at = text.indexOf(domain); at >= 0; at = text.indexOf(domain, at + 1)) {
    const end = at + domain.length;
    if (!COMES_ON.test(text.charAt(at - 1)) && !GOES_ON.test(text.slice(end, end + 2))) return true;
  }
  return false;
}
/** What makes another name of the one beside it. */
const COMES_ON = /^[a-z0-9_-]/;
const GOES_ON = /^(?:[a-z0-9_-]|\.[a-z0-9_-])/;

/** Lower case, without brackets or a trailing dot; addresses in canonical text, IPv4 for IPv4-mapped ones. */
function canonicalHost(text: string): string {
  let host = text.toLowerCase();
  if (host.startsWith('[') && host.endsWith(']')) host = host.slice(1, -1);
  if (host.endsWith('.')) host = host.slice(0, -1);
  if (!host.includes(':') && !/^[0-9.]+$/.test(host)) return host;
  return ipaddr.isValid(host) ? ipaddr.process(host).toString() : host;
}

/** Each %HH as the character it stands for, once; no percent sign is left. */
function withoutEscapes(text: string): string {
  return text
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .replaceAll('%', ' ');
}
