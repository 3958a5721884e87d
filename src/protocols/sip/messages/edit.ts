import { Assembly } from './assembly.ts';
import { consistsOf, isToken, URI } from './characters.ts';
import {
  CONTENT_LENGTH,
  CONTENT_TYPE,
  type HeaderId,
  idOf,
  isListId,
  nameOf,
  UNKNOWN,
} from './header-name.ts';
import { endOfValueOctets, refuseLineBreak, trimSpace } from './header-value.ts';
import type { SipMessage } from './message.ts';
import { reasonPhrase } from './status.ts';

/** A field line that is not, or no longer, one of the original's. */
interface NewField {
  readonly id: HeaderId;
  readonly name: string;
  /** New text, or the stretch of the original that is left of the value. */
  readonly value: string | { readonly start: number; readonly end: number };
}

/**
 * Changes to a message, spliced into its octets: what is not changed is copied as it was received. Changes
 * take effect in the order in which they are made; the original stays as it is.
 *
 * Values must not hold line breaks or NUL and names must be tokens: anything else throws, since only a
 * mistake of the caller (unescaping what a peer sent, for one) can bring it here.
 */
export class MessageEdit {
  readonly #message: SipMessage;
  /** The field lines to be: of the original, or, below 0, of `#fields`. Made when the first header is changed. */
  #lines: number[] | undefined;
  readonly #fields: NewField[] = [];
  #uri: string | undefined;
  #plainReason = false;
  #body: Uint8Array | undefined;

  constructor(message: SipMessage) {
    this.#message = message;
  }

  /** Replaces the Request-URI. Throws for a response. */
  requestUri(uri: string): this {
    if (this.#message.kind !== 'request') throw new TypeError('a response has no Request-URI');
    if (!consistsOf(uri, 0, uri.length, URI)) throw new TypeError('not a URI for a request line');
    this.#uri = uri;
    return this;
  }
  /** Puts the usual reason phrase in place of the sender's. Throws for a request. */
  plainReason(): this {
    if (this.#message.kind !== 'response') throw new TypeError('a request has no reason phrase');
    this.#plainReason = true;
    return this;
  }
  /** Adds a field line above the first one of that name, or on top of all when there is none. */
  prepend(name: string, value: string): this {
    const field = newField(name, value);
    const first = this.#find(name, field.id);
    this.#open().splice(Math.max(first, 0), 0, this.#add(field));
    return this;
  }
  /** Adds a field line below the last one of that name, or below all when there is none. */
  append(name: string, value: string): this {
    const field = newField(name, value);
    const lines = this.#open();
    let at = lines.length;
    for (let i = lines.length - 1; i >= 0; i--) {
      if (this.#is(lines[i]!, name, field.id)) {
        at = i + 1;
        break;
      }
    }
    lines.splice(at, 0, this.#add(field));
    return this;
  }
  /** Puts one field line in place of all of that name; adds it below all when there is none. */
  replace(name: string, value: string): this {
    const field = newField(name, value);
    const first = this.#find(name, field.id);
    if (first < 0) {
      this.#open().push(this.#add(field));
      return this;
    }
    const lines = this.#open();
    lines[first] = this.#add(field);
    for (let i = lines.length - 1; i > first; i--) {
      if (this.#is(lines[i]!, name, field.id)) lines.splice(i, 1);
    }
    return this;
  }
  /** Removes the first value: of a list, the first of its values; the line goes with its last value. */
  removeFirst(name: string): this {
    const id = idOf(name);
    const at = this.#find(name, id);
    if (at < 0) return this;
    const lines = this.#open();
    const rest = isListId(id) ? this.#withoutFirst(lines[at]!, id) : undefined;
    if (rest === undefined) lines.splice(at, 1);
    else lines[at] = this.#add(rest);
    return this;
  }
  /** Removes all field lines of that name. */
  remove(name: string): this {
    const id = idOf(name);
    if (this.#find(name, id) < 0) return this;
    this.#lines = this.#open().filter((line) => !this.#is(line, name, id));
    return this;
  }
  /** Replaces the body and its type; an empty body without a type removes Content-Type. */
  body(body: Uint8Array, contentType?: string): this {
    this.#body = body;
    if (contentType !== undefined) this.replace('Content-Type', contentType);
    else if (body.length === 0) this.remove('Content-Type');
    return this;
  }

  /**
   * The message with all changes, in a buffer of its own. Content-Length is set when the body was replaced,
   * and added when the original had none, which a stream does not allow (RFC 3261 §18.3).
   */
  toBytes(): Buffer {
    const { head, bytes } = this.#message;
    const body = this.#body ?? bytes.subarray(head.end);
    if (this.#body !== undefined || this.#find('Content-Length', CONTENT_LENGTH) < 0) {
      this.replace('Content-Length', String(body.length));
    }
    const output = new Assembly(bytes);
    this.#startLine(output);
    if (this.#lines === undefined) output.copy(head.startLineEnd + 2, head.end - 2);
    else for (const line of this.#lines) this.#line(output, line);
    if (this.#body === undefined) {
      output.copy(head.end - 2, bytes.length);
    } else {
      output.text('\r\n');
      output.octets(body);
    }
    return output.toBytes();
  }

  #startLine(output: Assembly): void {
    const { head } = this.#message;
    if (this.#plainReason && this.#message.kind === 'response') {
      output.text(`SIP/2.0 ${this.#message.status} ${reasonPhrase(this.#message.status)}\r\n`);
    } else if (this.#uri === undefined || this.#message.kind !== 'request') {
      output.copy(0, head.startLineEnd + 2);
    } else {
      output.text(this.#message.method);
      output.text(' ');
      output.text(this.#uri);
      output.text(' SIP/2.0\r\n');
    }
  }

  #line(output: Assembly, line: number): void {
    if (line >= 0) {
      const { head } = this.#message;
      output.copy(head.startAt(line), head.startAt(line + 1));
      return;
    }
    const { name, value } = this.#fieldOf(line);
    output.text(name);
    output.text(': ');
    if (typeof value === 'string') output.text(value);
    else output.copy(value.start, value.end);
    output.text('\r\n');
  }

  #open(): number[] {
    if (this.#lines === undefined) {
      const lines: number[] = [];
      for (let field = 0; field < this.#message.head.count; field++) lines.push(field);
      this.#lines = lines;
    }
    return this.#lines;
  }
  /** The line that stands for a field which is not one of the original's. */
  #add(field: NewField): number {
    return -this.#fields.push(field);
  }
  #fieldOf(line: number): NewField {
    return this.#fields[-line - 1]!;
  }

  #find(name: string, id: HeaderId): number {
    const lines = this.#lines;
    if (lines === undefined)
      return id === UNKNOWN ? this.#message.head.findName(name) : this.#message.head.find(id);
    for (let at = 0; at < lines.length; at++) if (this.#is(lines[at]!, name, id)) return at;
    return -1;
  }

  #is(line: number, name: string, id: HeaderId): boolean {
    const { head } = this.#message;
    const lineId = line >= 0 ? head.idAt(line) : this.#fieldOf(line).id;
    if (lineId !== id) return false;
    if (id !== UNKNOWN) return true;
    const lineName = line >= 0 ? head.nameAt(line) : this.#fieldOf(line).name;
    return lineName === name || lineName.toLowerCase() === name.toLowerCase();
  }

  /** What is left of a list's line without its first value; undefined when nothing is. */
  #withoutFirst(line: number, id: HeaderId): NewField | undefined {
    const { head, bytes } = this.#message;
    const value =
      line >= 0 ? { start: head.valueStartAt(line), end: head.valueEndAt(line) } : this.#fieldOf(line).value;
    const name = nameOf(id);
    if (typeof value === 'string') {
      const octets = Buffer.from(value);
      const comma = endOfValueOctets(octets, 0, octets.length);
      if (comma === octets.length) return undefined;
      return { id, name, value: trimSpace(octets.toString('utf8', comma + 1)) };
    }
    const comma = endOfValueOctets(bytes, value.start, value.end);
    if (comma === value.end) return undefined;
    let start = comma + 1;
    while (start < value.end && bytes[start]! <= 0x20) start++;
    return { id, name, value: { start, end: value.end } };
  }
}

function newField(name: string, value: string): NewField {
  const id = idOf(name);
  if (id === CONTENT_TYPE || id === UNKNOWN) {
    if (!isToken(name)) throw new TypeError('not a header name');
  }
  refuseLineBreak(value);
  return { id, name: id === UNKNOWN ? name : nameOf(id), value };
}
