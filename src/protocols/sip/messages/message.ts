import { err, ok, type Result } from '#kernel';
import { numberIn } from './characters.ts';
import type { CSeq } from './cseq.ts';
import type { Head } from './head.ts';
import { type HeaderId, MAX_FORWARDS, RECORD_ROUTE, ROUTE, UNKNOWN } from './header-name.ts';
import type { NameAddress, NameAddressProblem } from './name-address.ts';
import { parseNameAddress } from './name-address.ts';
import { recentSipUri, type SipUri, type UriProblem } from './uri.ts';
import type { Via } from './via.ts';

export type SipMessage = SipRequest | SipResponse;

/** The headers that every message has, decoded and checked when it was parsed. */
export interface Essentials {
  readonly vias: readonly [Via, ...Via[]];
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly callId: string;
  readonly cseq: CSeq;
}

/**
 * What requests and responses have in common. Borrows the octets that it was parsed from for all its life.
 */
abstract class Message {
  /** For the rest of this room: where the headers are. */
  readonly head: Head;
  /** The message as it was received. */
  readonly bytes: Buffer;
  readonly callId: string;
  readonly cseq: CSeq;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly topVia: Via;
  readonly #vias: readonly [Via, ...Via[]];
  #fromUri: Result<SipUri, UriProblem> | undefined;

  constructor(head: Head, essentials: Essentials) {
    this.head = head;
    this.bytes = head.bytes;
    this.callId = essentials.callId;
    this.cseq = essentials.cseq;
    this.from = essentials.from;
    this.to = essentials.to;
    this.topVia = essentials.vias[0];
    this.#vias = essentials.vias;
  }

  get body(): Buffer {
    return this.bytes.subarray(this.head.end);
  }
  /** All Via values, topmost first. */
  vias(): readonly Via[] {
    return this.#vias;
  }
  /**
   * The value of the first field with this name (any case, full or compact), as one line; a list stays whole.
   */
  header(name: string | HeaderId): string | undefined {
    const field = this.#find(name);
    return field < 0 ? undefined : this.head.valueAt(field);
  }
  /** The values of all fields with this name, lists split, in order. Empty values are left out. */
  values(name: string | HeaderId): string[] {
    const values: string[] = [];
    for (let field = this.#find(name); field >= 0; field = this.#find(name, field + 1)) {
      this.head.valuesAt(field, values);
    }
    return values.includes('') ? values.filter((value) => value !== '') : values;
  }
  /** Whether the first field with this name has an octet in its value; no text is made of it. */
  holds(name: string | HeaderId, octet: number): boolean {
    const field = this.#find(name);
    if (field < 0) return false;
    const end = this.head.valueEndAt(field);
    for (let at = this.head.valueStartAt(field); at < end; at++) if (this.bytes[at] === octet) return true;
    return false;
  }
  has(name: string | HeaderId): boolean {
    return this.#find(name) >= 0;
  }
  /** Number of field lines; for {@link fieldId} and {@link fieldName}. */
  get fieldCount(): number {
    return this.head.count;
  }
  /** The id of the name of a field line, 0 of one that has none: `headerId`. */
  fieldId(field: number): HeaderId {
    return this.head.idAt(field);
  }
  /** The name of a field line as {@link fields} spells it. */
  fieldName(field: number): string {
    return this.head.nameAt(field);
  }
  /** Every field line: its name in the usual spelling (as written when unknown) and its value as one line. */
  *fields(): IterableIterator<readonly [name: string, value: string]> {
    for (let field = 0; field < this.head.count; field++) {
      yield [this.head.nameAt(field), this.head.valueAt(field)];
    }
  }
  /** The name of every field line, in order, as {@link fields} spells them. */
  names(): string[] {
    // Asked for each proxied message: Array.from took 4 % of all that a proxy spends on one (`bench:sip`).
    const names: string[] = [];
    for (let field = 0; field < this.head.count; field++) names.push(this.head.nameAt(field));
    return names;
  }
  /** Record-Route, topmost first. */
  recordRoutes(): Result<NameAddress[], NameAddressProblem> {
    return this.addresses(RECORD_ROUTE);
  }
  #find(name: string | HeaderId, from = 0): number {
    if (typeof name === 'string') return this.head.findName(name, from);
    return name === UNKNOWN ? -1 : this.head.find(name, from);
  }
  /** The From's URI, taken apart once. */
  fromUri(): Result<SipUri, UriProblem> {
    this.#fromUri ??= recentSipUri(this.from.uri);
    return this.#fromUri;
  }
  /** The values of a list of addresses (Route, Record-Route, Path, Service-Route) by header id. */
  protected addresses(id: number): Result<NameAddress[], NameAddressProblem> {
    const texts: string[] = [];
    for (let field = this.head.find(id); field >= 0; field = this.head.find(id, field + 1)) {
      this.head.valuesAt(field, texts);
    }
    const addresses: NameAddress[] = [];
    for (const text of texts) {
      const address = parseNameAddress(text);
      if (!address.ok) return address;
      // Unlike Contact, these fields have no form without angle brackets (RFC 3261 §25.1).
      if (!text.includes('<')) return err('address');
      addresses.push(address.value);
    }
    return ok(addresses);
  }
}

export class SipRequest extends Message {
  readonly kind = 'request';
  readonly method: string;
  /** The Request-URI as written, of any scheme. */
  readonly uri: string;
  #parsedUri: Result<SipUri, UriProblem> | undefined;

  constructor(head: Head, essentials: Essentials, line: { readonly method: string; readonly uri: string }) {
    super(head, essentials);
    this.method = line.method;
    this.uri = line.uri;
  }
  parsedUri(): Result<SipUri, UriProblem> {
    this.#parsedUri ??= recentSipUri(this.uri);
    return this.#parsedUri;
  }
  /** 0..255, or undefined when the sender wrote none (RFC 2543 did not know it). */
  get maxForwards(): number | undefined {
    const field = this.head.find(MAX_FORWARDS);
    if (field < 0) return undefined;
    const number = numberIn(this.head.bytes, this.head.valueStartAt(field), this.head.valueEndAt(field));
    return number < 0 ? Number(this.head.valueAt(field)) : number;
  }
  /** Route, topmost first. */
  routes(): Result<NameAddress[], NameAddressProblem> {
    return this.addresses(ROUTE);
  }
}

export class SipResponse extends Message {
  readonly kind = 'response';
  /** 100..699 */
  readonly status: number;
  readonly reason: string;

  constructor(
    head: Head,
    essentials: Essentials,
    line: { readonly status: number; readonly reason: string },
  ) {
    super(head, essentials);
    this.status = line.status;
    this.reason = line.reason;
  }
}
