import { classes, TOKEN } from './characters.ts';
import { Insertion, type MessageEdit } from './edit.ts';
import { sameName, VIA } from './header-name.ts';
import type { SipRequest } from './message.ts';
import { noParameters } from './parameters.ts';
import { formatVia, type Via } from './via.ts';

/** Where a message came from. */
export interface Source {
  /** IP address text, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

/**
 * The topmost Via of a received request with `received` and `rport` as its receiver must set them
 * (RFC 3261 §18.2.1, RFC 3581 §4); undefined when nothing has to be written. What the sender wrote into these
 * parameters itself is never kept.
 */
export function viaWithSource(via: Via, source: Source): Via | undefined {
  const sameHost = bare(via.host) === source.address.toLowerCase();
  const needed = !sameHost || via.rport !== undefined || via.received !== undefined;
  if (!needed) return undefined;
  const parameters = new Map(via.parameters);
  const asked = parameters.has('rport');
  parameters.delete('received');
  if (!sameHost || asked) parameters.set('received', source.address);
  if (asked) parameters.set('rport', String(source.port));
  const received = parameters.get('received');
  return { ...via, parameters, received, rport: asked ? source.port : undefined };
}

function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

const ASKED = ';rport';
const RECEIVED = /;received(?:[;=]|$)/i;

/**
 * The sender's Via with where its message really came from, as a server writes it that is asked for nothing else
 * (RFC 3261 §18.2.1, RFC 3581 §4); undefined when nothing has to be added.
 */
export function stampedVia(via: Via, source: Source): string | undefined {
  const { written } = via.parameters;
  const told = written === undefined ? via.parameters.has('received') : RECEIVED.test(written);
  if (via.rport === undefined && !told && bare(via.host) === source.address) return undefined;
  const end = written === undefined || told || via.rport !== true ? -1 : endOfAsked(written);
  if (written !== undefined && end >= 0) {
    const port = via.port === undefined ? '' : `:${via.port}`;
    const parameters = `${written.slice(0, end)}=${source.port}${written.slice(end)};received=${source.address}`;
    return `${via.protocol}/${via.transport} ${via.host}${port}${parameters}`;
  }
  const parameters = new Map(via.parameters);
  parameters.set('received', source.address);
  if (via.rport !== undefined) parameters.set('rport', String(source.port));
  return formatVia({ ...via, parameters });
}

/** Behind the name of a parameter rport without a content; -1 when it is written in another way. */
function endOfAsked(written: string): number {
  const at = written.indexOf(ASKED);
  const end = at + ASKED.length;
  return at >= 0 && (end === written.length || written[end] === ';') ? end : -1;
}

const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const BLANK = 0x20;
const RPORT_OCTETS = octetsOf('rport');
const RECEIVED_OCTETS = octetsOf('received');
const NOTHING: readonly Insertion[] = [];

/** Where the messages of one connection come from, ready to be written into their topmost Via. */
export class SourceStamp {
  readonly source: Source;
  readonly #port: string;
  readonly #received: string;

  constructor(source: Source) {
    this.source = source;
    this.#port = `=${source.port}`;
    this.#received = `;received=${source.address}`;
  }

  /**
   * Does what {@link stampedVia} says to a request that is passed on: as insertions into the sender's line where that
   * is written as most are, so that it is not made anew.
   */
  write(edit: MessageEdit, request: SipRequest): void {
    const insertions = this.insertions(request);
    if (insertions === NOTHING || (insertions !== undefined && edit.widenFirst(VIA, insertions))) return;
    const via = stampedVia(request.topVia, this.source);
    if (via === undefined) return;
    edit.removeFirst(VIA);
    edit.prepend('Via', via);
  }

  /** What {@link write} inserts; undefined when there is more to do than that. */
  insertions({ topVia, head }: SipRequest): readonly Insertion[] | undefined {
    const { parameters, rport } = topVia;
    if (parameters !== noParameters && parameters.written === undefined) return undefined;
    if (rport !== undefined && rport !== true) return undefined;
    const { bytes } = head;
    const field = head.find(VIA);
    const end = head.valueEndAt(field);
    let last = head.valueStartAt(field);
    let asked = -1;
    // In a value without quotes a comma ends it, and a semicolon begins a parameter.
    for (let at = last; at < end && bytes[at] !== COMMA; at++) {
      const octet = bytes[at]!;
      if (octet > BLANK) last = at + 1;
      if (octet !== SEMICOLON) continue;
      if (isNamed(bytes, at + 1, end, RPORT_OCTETS)) asked = at + 1 + RPORT_OCTETS.length;
      else if (isNamed(bytes, at + 1, end, RECEIVED_OCTETS)) return undefined;
    }
    const received = new Insertion(last, this.#received);
    if (rport === true) return asked < 0 ? undefined : [new Insertion(asked, this.#port), received];
    return bare(topVia.host) === this.source.address ? NOTHING : [received];
  }
}

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Whether the name of a parameter that begins at `start` is `name`, in lower case, as a whole. */
function isNamed(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  // Nearly all that are asked about differ at once.
  if ((bytes[start]! | 0x20) !== name[0]) return false;
  const nameEnd = start + name.length;
  if (nameEnd > end || (nameEnd < end && (classes[bytes[nameEnd]!]! & TOKEN) !== 0)) return false;
  return sameName(bytes, start, nameEnd, name);
}
