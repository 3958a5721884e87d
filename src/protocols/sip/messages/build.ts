import { Assembly } from './assembly.ts';
import { isToken } from './characters.ts';
import type { Head } from './head.ts';
import {
  CALL_ID,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  type HeaderId,
  idOf,
  RECORD_ROUTE,
  ROUTE,
  TIMESTAMP,
  TO,
  VIA,
} from './header-name.ts';
import { refuseLineBreak } from './header-value.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { isAddress } from './name-address.ts';
import { reasonPhrase } from './status.ts';
import { formatVia } from './via.ts';
import { type Source, viaWithSource } from './via-source.ts';

type HeaderList = readonly (readonly [name: string, value: string])[];

export interface BuildRequestOptions {
  readonly method: string;
  readonly uri: string;
  /** Written in this order. Content-Length is added and must not be among them. */
  readonly headers: HeaderList;
  readonly body?: Uint8Array | undefined;
}

export interface BuildResponseOptions {
  readonly reason?: string | undefined;
  /** For a To without a tag; not used in a 100. */
  readonly toTag?: string | undefined;
  /** Further headers. Record-Route is copied by itself where a dialog may begin. */
  readonly headers?: HeaderList | undefined;
  readonly body?: Uint8Array | undefined;
  /** Where the request came from: written into the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4). */
  readonly source?: Source | undefined;
}

const EMPTY = new Uint8Array(0);

/** A request from nothing. Throws on a method, URI, name or value that could not stand in a message. */
export function buildRequest(options: BuildRequestOptions): Buffer {
  const { method, uri } = options;
  if (!isToken(method)) throw new TypeError('not a method');
  if (!isAddress(uri, 0, uri.length)) throw new TypeError('not a Request-URI');
  const output = new Assembly(Buffer.alloc(0));
  output.text(`${method} ${uri} SIP/2.0\r\n`);
  writeHeaders(output, options.headers);
  writeBody(output, options.body ?? EMPTY);
  return output.toBytes();
}

/**
 * The answer of a server to a request (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq are repeated octet
 * for octet, Record-Route too where the answer may begin a dialog (RFC 3261 §12.1.1), Timestamp in a 100.
 *
 * @param status 100..699
 */
export function buildResponse(
  request: SipRequest,
  status: number,
  options: BuildResponseOptions = {},
): Buffer {
  if (!(status >= 100 && status <= 699)) throw new RangeError(`no SIP status: ${status}`);
  const reason = options.reason ?? reasonPhrase(status);
  refuseLineBreak(reason);
  const { head } = request;
  const output = new Assembly(head.bytes);
  output.text(`SIP/2.0 ${status} ${reason}\r\n`);
  writeVias(output, request, options.source);
  if (mayBeginDialog(request.method, status)) copyFields(output, head, RECORD_ROUTE);
  copyFields(output, head, FROM);
  writeTo(output, request, status === 100 ? undefined : options.toTag);
  copyFields(output, head, CALL_ID);
  copyFields(output, head, CSEQ);
  if (status === 100) copyFields(output, head, TIMESTAMP);
  if (options.headers !== undefined) writeHeaders(output, options.headers);
  writeBody(output, options.body ?? EMPTY);
  return output.toBytes();
}

/**
 * ACK for a final answer other than 2xx (RFC 3261 §17.1.1.3).
 *
 * @param invite the INVITE as it was sent, with our Via on top
 */
export function buildAck(invite: SipRequest, response: SipResponse): Buffer {
  const { head } = response;
  const to = head.valueAt(head.find(TO));
  return withinTransaction(invite, 'ACK', to);
}

/**
 * CANCEL for a request that is under way (RFC 3261 §9.1).
 *
 * @param request the request as it was sent, with our Via on top
 * @param reasons Reason values (RFC 3326 §2)
 */
export function buildCancel(request: SipRequest, reasons: readonly string[] = []): Buffer {
  const { head } = request;
  for (const reason of reasons) refuseLineBreak(reason);
  const lines = reasons.map((reason) => `Reason: ${reason}\r\n`).join('');
  return withinTransaction(request, 'CANCEL', head.valueAt(head.find(TO)), lines);
}

/**
 * A request that shares the branch of another: its topmost Via alone, its Route, From, Call-ID, CSeq number.
 */
function withinTransaction(request: SipRequest, method: string, to: string, more = ''): Buffer {
  const { head } = request;
  const output = new Assembly(head.bytes);
  output.text(
    `${method} ${request.uri} SIP/2.0\r\nVia: ${formatVia(request.topVia)}\r\nMax-Forwards: 70\r\n`,
  );
  copyFields(output, head, ROUTE);
  copyFields(output, head, FROM);
  output.text(`To: ${to}\r\n`);
  copyFields(output, head, CALL_ID);
  output.text(`CSeq: ${request.cseq.number} ${method}\r\n${more}`);
  writeBody(output, EMPTY);
  return output.toBytes();
}

const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY']);

function mayBeginDialog(method: string, status: number): boolean {
  return status > 100 && status < 300 && DIALOG_METHODS.has(method);
}

function copyFields(output: Assembly, head: Head, id: HeaderId): void {
  for (let field = head.find(id); field >= 0; field = head.find(id, field + 1)) {
    output.copy(head.startAt(field), head.startAt(field + 1));
  }
}

function writeVias(output: Assembly, request: SipRequest, source: Source | undefined): void {
  const top = source === undefined ? undefined : viaWithSource(request.topVia, source);
  if (top === undefined) {
    copyFields(output, request.head, VIA);
    return;
  }
  output.text(`Via: ${formatVia(top)}\r\n`);
  for (const value of request.values('Via').slice(1)) output.text(`Via: ${value}\r\n`);
}

function writeTo(output: Assembly, request: SipRequest, tag: string | undefined): void {
  const { head } = request;
  if (tag === undefined || request.to.tag !== undefined) {
    copyFields(output, head, TO);
    return;
  }
  if (!isToken(tag)) throw new TypeError('not a tag');
  const field = head.find(TO);
  output.copy(head.startAt(field), head.valueEndAt(field));
  output.text(`;tag=${tag}\r\n`);
}

function writeHeaders(output: Assembly, headers: HeaderList): void {
  for (const [name, value] of headers) {
    if (!isToken(name)) throw new TypeError('not a header name');
    if (idOf(name) === CONTENT_LENGTH) throw new TypeError('Content-Length is written by itself');
    refuseLineBreak(value);
    output.text(`${name}: ${value}\r\n`);
  }
}

function writeBody(output: Assembly, body: Uint8Array): void {
  output.text(`Content-Length: ${body.length}\r\n\r\n`);
  if (body.length > 0) output.octets(body);
}
