import type { WallTime } from '#kernel';
import { type NameAddress, parseNameAddress, parseSipUri, type SipRequest, sameSipUri } from '#protocols/sip';
import type { Binding, BindingReach, BindingStore } from './binding.ts';

export interface RegistrarSettings {
  readonly minExpiresSeconds: number;
  readonly maxExpiresSeconds: number;
  readonly defaultExpiresSeconds: number;
  readonly bindingsPerUser: number;
}

export type RegistrarAnswer =
  | { readonly status: 200; readonly bindings: readonly Binding[]; readonly outbound: boolean }
  | { readonly status: 400 | 403 | 439 | 500; readonly reason: string }
  | { readonly status: 423; readonly minExpires: number };

/** One REGISTER, as far as the registrar cares. */
export interface Registration {
  readonly aor: string;
  readonly request: SipRequest;
  readonly reach: BindingReach;
}

/** Contacts of one REGISTER, those that are to be removed included: each is compared with each binding. */
const MOST_CONTACTS = 128;

interface WantedContact {
  readonly address: NameAddress;
  readonly key: string;
  readonly seconds: number;
  readonly q: number;
}

/** The registrar of RFC 3261 §10.3, steps 6 to 8; the caller has authenticated and authorised (steps 1 to 5). */
export class Registrar {
  readonly #store: BindingStore;
  /** Called with the address of record after its bindings have changed. */
  onChanged: (aor: string) => void = () => {};
  #settings: RegistrarSettings;

  constructor(store: BindingStore, settings: RegistrarSettings) {
    this.#store = store;
    this.#settings = settings;
  }

  /** Other settings, for what registers from now on. */
  configure(settings: RegistrarSettings): void {
    this.#settings = settings;
  }

  /** The bindings that a request may be sent to, highest q first, newest first within one q. */
  lookup(aor: string, wall: WallTime): Binding[] {
    return this.#live(aor, wall).sort((a, b) => b.q - a.q || b.expires - a.expires);
  }

  /** Forgets a binding that turned out to be dead (RFC 5626 §5.3 430, a closed connection). */
  forget(binding: Binding): void {
    this.#store.remove(binding.aor, binding.key);
    this.onChanged(binding.aor);
  }

  register(registration: Registration, wall: WallTime): RegistrarAnswer {
    const answer = this.#register(registration, wall);
    if (answer.status === 200) this.onChanged(registration.aor);
    return answer;
  }

  #register(registration: Registration, wall: WallTime): RegistrarAnswer {
    const contacts = readContacts(registration.request);
    if (contacts === undefined) return { status: 400, reason: 'Malformed Contact' };
    if (contacts === '*') return this.#removeAll(registration, wall);
    if (contacts.length > MOST_CONTACTS) return { status: 403, reason: 'Too Many Bindings' };
    const outbound = usesOutbound(registration, contacts);
    if (outbound === 'first hop lacks it') return { status: 439, reason: 'First Hop Lacks Outbound Support' };
    const wanted: WantedContact[] = [];
    for (const address of contacts) {
      const contact = this.#want(registration.request, address, outbound);
      if ('status' in contact) return contact;
      wanted.push(contact);
    }
    return this.#store.atomically(() => this.#update(registration, wanted, outbound, wall));
  }

  #live(aor: string, wall: WallTime): Binding[] {
    return this.#store.of(aor).filter((binding) => {
      if (binding.expires > wall) return true;
      this.#store.remove(aor, binding.key);
      return false;
    });
  }

  /** RFC 3261 §10.3 step 6: `Contact: *` needs `Expires: 0` and removes everything. */
  #removeAll({ aor, request }: Registration, wall: WallTime): RegistrarAnswer {
    if (seconds(request.header('expires')) !== 0) return { status: 400, reason: 'Contact * needs Expires 0' };
    return this.#store.atomically(() => {
      const bindings = this.#live(aor, wall);
      if (bindings.some((binding) => isStale(binding, request))) return outOfOrder;
      for (const binding of bindings) this.#store.remove(aor, binding.key);
      return { status: 200, bindings: [], outbound: false } as const;
    });
  }

  #want(request: SipRequest, address: NameAddress, outbound: boolean): WantedContact | RegistrarAnswer {
    const uri = parseSipUri(address.uri);
    if (!uri.ok) return { status: 400, reason: 'Malformed Contact' };
    const asked =
      seconds(address.parameters.get('expires')) ??
      seconds(request.header('expires')) ??
      this.#settings.defaultExpiresSeconds;
    if (asked > 0 && asked < this.#settings.minExpiresSeconds) {
      return { status: 423, minExpires: this.#settings.minExpiresSeconds };
    }
    return {
      address,
      key: bindingKey(address, outbound),
      seconds: Math.min(asked, this.#settings.maxExpiresSeconds),
      q: quality(address.parameters.get('q')),
    };
  }

  /** RFC 3261 §10.3 step 7, all contacts or none. */
  #update(
    { aor, request, reach }: Registration,
    wanted: readonly WantedContact[],
    outbound: boolean,
    wall: WallTime,
  ): RegistrarAnswer {
    const existing = this.#live(aor, wall);
    const pairs = wanted.map((contact) => ({ contact, binding: matching(existing, contact) }));
    if (pairs.some(({ binding }) => binding !== undefined && isStale(binding, request))) return outOfOrder;
    const added = pairs.filter(({ contact, binding }) => binding === undefined && contact.seconds > 0).length;
    if (existing.length + added > this.#settings.bindingsPerUser) {
      return { status: 403, reason: 'Too Many Bindings' };
    }
    for (const { contact, binding } of pairs) {
      if (binding !== undefined) this.#store.remove(aor, binding.key);
      if (contact.seconds === 0) continue;
      this.#store.put({
        aor,
        key: contact.key,
        contact: contact.address.uri,
        reach,
        callId: request.callId,
        cseq: request.cseq.number,
        q: contact.q,
        expires: wall + contact.seconds * 1000,
      });
    }
    return { status: 200, bindings: this.#live(aor, wall), outbound };
  }
}

/** The Contact values, `*` for the one that stands for all, undefined when they cannot be read. */
function readContacts(request: SipRequest): NameAddress[] | '*' | undefined {
  const texts = request.values('contact');
  if (texts.includes('*')) return texts.length === 1 ? '*' : undefined;
  const contacts: NameAddress[] = [];
  for (const text of texts) {
    const address = parseNameAddress(text);
    if (!address.ok) return undefined;
    contacts.push(address.value);
  }
  return contacts;
}

const outOfOrder = { status: 500, reason: 'Out Of Order' } as const;

/** A request of the same Call-ID that is not newer than what made the binding (RFC 3261 §10.3 step 7). */
function isStale(binding: Binding, request: SipRequest): boolean {
  return binding.callId === request.callId && request.cseq.number <= binding.cseq;
}

function matching(existing: readonly Binding[], contact: WantedContact): Binding | undefined {
  const wanted = parseSipUri(contact.address.uri);
  return existing.find((binding) => {
    if (binding.key === contact.key) return true;
    if (binding.key !== binding.contact || contact.key !== contact.address.uri) return false;
    const stored = parseSipUri(binding.contact);
    return wanted.ok && stored.ok && sameSipUri(wanted.value, stored.value);
  });
}

/** RFC 5626 §6: instance and reg-id name a flow, so that a client that reconnects replaces its old binding. */
function bindingKey(address: NameAddress, outbound: boolean): string {
  const instance = address.parameters.get('+sip.instance');
  const flow = address.parameters.get('reg-id');
  return outbound && instance !== undefined && flow !== undefined ? `${instance};${flow}` : address.uri;
}

/** Whether RFC 5626 applies (§6): asked for by the client, and offered by the first hop. */
function usesOutbound(
  { request, reach }: Registration,
  contacts: readonly NameAddress[],
): boolean | 'first hop lacks it' {
  const flows = contacts.filter(
    ({ parameters }) => parameters.has('reg-id') && parameters.has('+sip.instance'),
  ).length;
  if (flows === 0 || !request.values('supported').includes('outbound')) return false;
  if (reach.kind === 'flow') return true;
  const first = reach.path.at(-1) ?? '';
  return /;ob(?:[;>=]|$)/.test(first) ? true : 'first hop lacks it';
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return Number(text);
}

function quality(text: string | undefined): number {
  return text !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}
