import { Assembly } from './assembly.ts';
import { consistsOf, isToken, URI } from './characters.ts';
import type { FieldLine } from './field-line.ts';
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

/** A header by its name, or by its id, which spares looking for it. Never the id of an unknown name. */
type FieldName = string | HeaderId;

/**
 * Text that is put into a line of the original, at an offset of the message. (Of a class, since V8 gives one shape to all literals
 * with the same names: each of these was made over when it was read, it seems because other parts of the program have times in `at`.)
 */
export class Insertion {
  readonly at: number;
  readonly text: string;

  constructor(at: number, text: string) {
    this.at = at;
    this.text = text;
  }
}

/** A field line that is not, or no longer, one of the original's. */
interface NewField {
  readonly id: HeaderId;
  readonly name: string;
  readonly value: FieldValue;
}
type FieldValue =
  | string
  /** What was made before, and what stands in its middle. */
  | { readonly kind: 'made'; readonly line: FieldLine; readonly text: string }
  /** The stretch of the original that is left of the value. */
  | { readonly kind: 'rest'; readonly start: number; readonly end: number }
  /** A line of the original, with more in it. */
  | { readonly kind: 'widened'; readonly line: number; readonly insertions: readonly Insertion[] };

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
  /** Until then, the one line of the original that is gone: all that is done to most responses; -1: none is. */
  #gone = -1;
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
    return this.#prepend(newField(name, value));
  }
  /** The same with a line that was made before. @param text between its two parts */
  prependLine(line: FieldLine, text = ''): this {
    return this.#prepend(madeField(line, text));
  }
  /** Adds a field line below the last one of that name, or below all when there is none. */
  append(name: string, value: string): this {
    return this.#append(newField(name, value));
  }
  appendLine(line: FieldLine, text = ''): this {
    return this.#append(madeField(line, text));
  }
  /** Puts one field line in place of all of that name; adds it below all when there is none. */
  replace(name: string, value: string): this {
    return this.#replace(newField(name, value));
  }
  replaceLine(line: FieldLine): this {
    return this.#replace(madeField(line, ''));
  }
  /** Removes the first value: of a list, the first of its values; the line goes with its last value. */
  removeFirst(name: FieldName): this {
    const id = typeof name === 'string' ? idOf(name) : name;
    const at = this.#find(name, id);
    if (at < 0) return this;
    const rest = isListId(id) ? this.#withoutFirst(this.#lineAt(at), id) : undefined;
    if (rest !== undefined) this.#open()[at] = this.#add(rest);
    else if (this.#lines === undefined && id !== CONTENT_LENGTH) this.#gone = at;
    else removeAt(this.#open(), at);
    return this;
  }
  /** Removes all field lines of that name. */
  remove(name: FieldName): this {
    const id = typeof name === 'string' ? idOf(name) : name;
    const first = this.#find(name, id);
    if (first < 0) return this;
    const lines = this.#open();
    let kept = first;
    for (let at = first + 1; at < lines.length; at++) {
      if (!this.#is(lines[at]!, name, id)) lines[kept++] = lines[at]!;
    }
    lines.length = kept;
    return this;
  }
  /**
   * Puts text into the first line of that name, which for the rest stays as it was received.
   * @param insertions in ascending order, within the line
   * @returns false, and nothing is done, when the first line is not one of the original's any more
   */
  widenFirst(id: HeaderId, insertions: readonly Insertion[]): boolean {
    const at = this.#find(id, id);
    const line = at < 0 ? -1 : this.#lineAt(at);
    if (line < 0) return false;
    for (const { text } of insertions) refuseLineBreak(text);
    this.#open()[at] = this.#add({ id, name: nameOf(id), value: { kind: 'widened', line, insertions } });
    return true;
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
    if (this.#body !== undefined || !this.#hasContentLength()) {
      this.replace('Content-Length', String(this.#body?.length ?? bytes.length - head.end));
    }
    const output = new Assembly(bytes);
    this.#startLine(output);
    const lines = this.#lines;
    if (lines === undefined) this.#fieldsAsTheyWere(output);
    else for (let at = 0; at < lines.length; at++) this.#line(output, lines[at]!);
    if (this.#body === undefined) {
      output.copy(head.end - 2, bytes.length);
    } else {
      output.lineEnd();
      output.octets(this.#body);
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

  #fieldsAsTheyWere(output: Assembly): void {
    const { head } = this.#message;
    const gone = this.#gone;
    output.copy(head.startLineEnd + 2, gone < 0 ? head.end - 2 : head.startAt(gone));
    if (gone >= 0) output.copy(head.startAt(gone + 1), head.end - 2);
  }

  #line(output: Assembly, line: number): void {
    const { head } = this.#message;
    if (line >= 0) {
      output.copy(head.startAt(line), head.startAt(line + 1));
      return;
    }
    const { name, value } = this.#fieldOf(line);
    if (typeof value === 'string') {
      output.text(name);
      output.text(': ');
      output.text(value);
      output.lineEnd();
    } else if (value.kind === 'made') {
      output.line(value.line, value.text);
    } else if (value.kind === 'rest') {
      output.text(name);
      output.text(': ');
      output.copy(value.start, value.end);
      output.lineEnd();
    } else {
      let from = head.startAt(value.line);
      for (const { at, text } of value.insertions) {
        output.copy(from, at);
        output.text(text);
        from = at;
      }
      output.copy(from, head.startAt(value.line + 1));
    }
  }

  #prepend(field: NewField): this {
    const first = this.#find(field.name, field.id);
    insertAt(this.#open(), Math.max(first, 0), this.#add(field));
    return this;
  }
  #append(field: NewField): this {
    const lines = this.#open();
    let at = lines.length;
    for (let i = lines.length - 1; i >= 0; i--) {
      if (this.#is(lines[i]!, field.name, field.id)) {
        at = i + 1;
        break;
      }
    }
    insertAt(lines, at, this.#add(field));
    return this;
  }
  #replace(field: NewField): this {
    const first = this.#find(field.name, field.id);
    const lines = this.#open();
    if (first < 0) {
      lines.push(this.#add(field));
      return this;
    }
    lines[first] = this.#add(field);
    for (let i = lines.length - 1; i > first; i--) {
      if (this.#is(lines[i]!, field.name, field.id)) removeAt(lines, i);
    }
    return this;
  }

  #open(): number[] {
    if (this.#lines === undefined) {
      this.#lines = untouched(this.#message.head.count);
      if (this.#gone >= 0) removeAt(this.#lines, this.#gone);
    }
    return this.#lines;
  }
  #hasContentLength(): boolean {
    if (this.#lines !== undefined) return this.#find(CONTENT_LENGTH, CONTENT_LENGTH) >= 0;
    return this.#message.head.find(CONTENT_LENGTH) >= 0;
  }
  #lineAt(at: number): number {
    return this.#lines === undefined ? at : this.#lines[at]!;
  }
  /** The line that stands for a field which is not one of the original's. */
  #add(field: NewField): number {
    return -this.#fields.push(field);
  }
  #fieldOf(line: number): NewField {
    return this.#fields[-line - 1]!;
  }

  #find(name: FieldName, id: HeaderId): number {
    const { head } = this.#message;
    const lines = this.#gone < 0 ? this.#lines : this.#open();
    if (lines === undefined) return id === UNKNOWN ? head.findName(name as string) : head.find(id);
    if (id === UNKNOWN) {
      for (let at = 0; at < lines.length; at++) if (this.#is(lines[at]!, name, id)) return at;
      return -1;
    }
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at]!;
      if ((line >= 0 ? head.idAt(line) : this.#fieldOf(line).id) === id) return at;
    }
    return -1;
  }

  #is(line: number, name: FieldName, id: HeaderId): boolean {
    const { head } = this.#message;
    const lineId = line >= 0 ? head.idAt(line) : this.#fieldOf(line).id;
    if (lineId !== id) return false;
    if (id !== UNKNOWN) return true;
    const lineName = line >= 0 ? head.nameAt(line) : this.#fieldOf(line).name;
    return lineName === name || lineName.toLowerCase() === (name as string).toLowerCase();
  }

  /** What is left of a list's line without its first value; undefined when nothing is. */
  #withoutFirst(line: number, id: HeaderId): NewField | undefined {
    const { head, bytes } = this.#message;
    const value = line >= 0 ? stretchOf(head, line) : this.#fieldOf(line).value;
    const name = nameOf(id);
    if (typeof value === 'string' || value.kind !== 'rest') {
      const octets = typeof value === 'string' ? Buffer.from(value) : this.#octetsOf(value);
      const comma = endOfValueOctets(octets, 0, octets.length);
      if (comma === octets.length) return undefined;
      return { id, name, value: trimSpace(octets.toString('utf8', comma + 1)) };
    }
    const comma = endOfValueOctets(bytes, value.start, value.end);
    if (comma === value.end) return undefined;
    let start = comma + 1;
    while (start < value.end && bytes[start]! <= 0x20) start++;
    return { id, name, value: { kind: 'rest', start, end: value.end } };
  }

  /** The value as it would be written. */
  #octetsOf(value: Exclude<FieldValue, string | { kind: 'rest' }>): Buffer {
    if (value.kind === 'made') return value.line.value(value.text);
    const { head, bytes } = this.#message;
    const parts: Uint8Array[] = [];
    let from = head.valueStartAt(value.line);
    for (const { at, text } of value.insertions) {
      parts.push(bytes.subarray(from, at), Buffer.from(text));
      from = at;
    }
    return Buffer.concat([...parts, bytes.subarray(from, head.valueEndAt(value.line))]);
  }
}

function stretchOf(head: SipMessage['head'], line: number): Extract<FieldValue, { kind: 'rest' }> {
  return { kind: 'rest', start: head.valueStartAt(line), end: head.valueEndAt(line) };
}

function newField(name: string, value: string): NewField {
  const id = idOf(name);
  if (id === CONTENT_TYPE || id === UNKNOWN) {
    if (!isToken(name)) throw new TypeError('not a header name');
  }
  refuseLineBreak(value);
  return { id, name: id === UNKNOWN ? name : nameOf(id), value };
}
function madeField(line: FieldLine, text: string): NewField {
  refuseLineBreak(text);
  return { id: line.id, name: line.name, value: { kind: 'made', line, text } };
}

/** All lines of a message, of which most have fewer. */
const FIRST_LINES = Array.from({ length: 64 }, (_, line) => line);
function untouched(count: number): number[] {
  return count <= FIRST_LINES.length
    ? FIRST_LINES.slice(0, count)
    : Array.from({ length: count }, (_, line) => line);
}

// By hand: lists are short, and `splice` makes a list of what it took out.
function insertAt(lines: number[], at: number, line: number): void {
  lines.push(line);
  for (let i = lines.length - 1; i > at; i--) lines[i] = lines[i - 1]!;
  lines[at] = line;
}
function removeAt(lines: number[], at: number): void {
  for (let i = at + 1; i < lines.length; i++) lines[i - 1] = lines[i]!;
  lines.length -= 1;
}
