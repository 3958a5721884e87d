import { BoundedMap, type Monotonic } from '#kernel';
import type { Registration } from './registration.ts';

/** What a connection may do before the next hop accepted a sign-in on it. */
export interface PreSignInLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly seconds: number;
}

export type PreSignInExcess = 'pre-sign-in-messages' | 'pre-sign-in-bytes' | 'pre-sign-in-seconds';

/** What a connection received since it was opened. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** Addresses that one connection may have accepted at the same time (several lines of one device). */
const ADDRESSES_PER_CONNECTION = 64;
/** Other names and realms that the credentials of one connection may have. */
const NAMES_PER_CONNECTION = 8;
/** A REGISTER that is answered late must not lose its sign-in to the clock: RFC 3261 §17.1.2.2 Timer F. */
const EXPIRY_GRACE_MS = 32_000;

const NO_CONTACTS: readonly string[] = [];

interface Accepted {
  readonly until: Monotonic;
  /** URIs that this connection has bound for the address. */
  readonly contacts: readonly string[];
}

/**
 * What is believed of one client connection: nothing, until the next hop accepted a REGISTER that came over it.
 * Addresses are canonical (`canonicalAddress`). After the last of them is withdrawn or has run out, the connection
 * is a stranger again and has what a new one has.
 */
export class SignIn {
  /** What the credentials of accepted sign-ins said besides the address. */
  readonly #proven = new Set<string>();
  readonly #accepted = new BoundedMap<string, Accepted>(ADDRESSES_PER_CONNECTION);
  #since: Monotonic;
  #base: Traffic = { messages: 0, bytes: 0 };

  constructor(now: Monotonic) {
    this.#since = now;
  }

  get signedIn(): boolean {
    return this.#accepted.size > 0;
  }

  /** The address that was accepted first, of those that still are. */
  get user(): string | undefined {
    for (const address of this.#accepted.keys()) return address;
    return undefined;
  }
  addresses(): string[] {
    return [...this.#accepted.keys()];
  }

  /** What the connection has used up of the little that it may do before it signs in. */
  excess(traffic: Traffic, limits: PreSignInLimits, now: Monotonic): PreSignInExcess | undefined {
    if (this.signedIn) return undefined;
    if (traffic.messages - this.#base.messages > limits.messages) return 'pre-sign-in-messages';
    if (traffic.bytes - this.#base.bytes > limits.bytes) return 'pre-sign-in-bytes';
    return now - this.#since >= limits.seconds * 1000 ? 'pre-sign-in-seconds' : undefined;
  }

  /**
   * The next hop answered a REGISTER for `address` with 2xx. It is believed for as long as that says; 0 seconds withdraw it.
   * False when the connection has as many addresses as it may have.
   */
  handleAccepted(
    address: string,
    { seconds, contacts }: Registration,
    traffic: Traffic,
    now: Monotonic,
  ): boolean {
    if (seconds > 0)
      return this.#accepted.set(address, { until: now + seconds * 1000 + EXPIRY_GRACE_MS, contacts });
    if (this.#accepted.delete(address) && !this.signedIn) this.#startOver(traffic, now);
    return true;
  }

  /** Forgets what ran out. */
  handleTime(traffic: Traffic, now: Monotonic): void {
    if (!this.signedIn) return;
    for (const [address, { until }] of this.#accepted) if (until <= now) this.#accepted.delete(address);
    if (!this.signedIn) this.#startOver(traffic, now);
  }

  accepts(address: string, now: Monotonic): boolean {
    const accepted = this.#accepted.get(address);
    return accepted !== undefined && accepted.until > now;
  }
  /** URIs that this connection has bound for an address. */
  contactsOf(address: string): readonly string[] {
    return this.#accepted.get(address)?.contacts ?? NO_CONTACTS;
  }

  /** The next hop accepted a sign-in by credentials with these names, which are opaque here. */
  handleProven(names: readonly string[]): void {
    for (const name of names) if (this.#proven.size < NAMES_PER_CONNECTION) this.#proven.add(name);
  }
  hasProven(name: string): boolean {
    return this.#proven.has(name);
  }

  #startOver(traffic: Traffic, now: Monotonic): void {
    this.#proven.clear();
    this.#since = now;
    this.#base = { messages: traffic.messages, bytes: traffic.bytes };
  }
}
