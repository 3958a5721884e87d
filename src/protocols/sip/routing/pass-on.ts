import { Assembly } from '../messages/assembly.ts';
import { consistsOf, URI } from '../messages/characters.ts';
import type { FieldLine } from '../messages/field-line.ts';
import type { Head } from '../messages/head.ts';
import {
  CONTENT_LENGTH,
  MAX_BREADTH,
  MAX_FORWARDS,
  RECORD_ROUTE,
  ROUTE,
  VIA,
} from '../messages/header-name.ts';
import { refuseLineBreak } from '../messages/header-value.ts';
import type { SipRequest } from '../messages/message.ts';
import type { SourceStamp } from '../messages/via-source.ts';

/** What is written into a request that for the rest is passed on as it is (RFC 3261 §16.6). */
export interface PassedOn {
  /** Our Via, as far as its branch. */
  readonly via: FieldLine;
  readonly branch: string;
  /** Where the request came from, for the sender's Via. */
  readonly stamp: SourceStamp;
  readonly maxForwards: FieldLine;
  readonly maxBreadth: FieldLine;
  /** A line more, below all others, with `markText` in its place. */
  readonly mark: FieldLine | undefined;
  readonly markText: string;
  /** In place of the Request-URI; undefined: it stays. */
  readonly requestUri?: string | undefined;
  /** In place of all Route lines; undefined: none is left. */
  readonly route?: string | undefined;
  /** A Record-Route line more; the request must not have one. */
  readonly recordRoute?: string | undefined;
}

/**
 * A request in which nothing else is changed than its target and its routes, with all that is written into it, in one pass over its octets: it makes the same of
 * it as a `MessageEdit` that is told these things one after the other, for half the price. Nearly every request of a client is
 * one of these. Undefined: it is not written as most are, and an edit has to do it.
 */
export function passOn(request: SipRequest, written: PassedOn): Buffer | undefined {
  const { head, bytes } = request;
  const via = head.find(VIA);
  const hops = head.find(MAX_FORWARDS);
  const insertions = written.stamp.insertions(request);
  if (hops < 0 || insertions === undefined) return undefined;
  if (head.find(MAX_BREADTH) >= 0 || head.find(CONTENT_LENGTH) < 0) return undefined;
  const { requestUri, recordRoute } = written;
  if (recordRoute !== undefined && head.find(RECORD_ROUTE) >= 0) return undefined;
  if (requestUri !== undefined && !consistsOf(requestUri, 0, requestUri.length, URI)) return undefined;
  const routes = routeLines(head);
  // Below the others, where nobody looks for it first.
  if (routes.length === 0 && written.route !== undefined) return undefined;
  const output = new Assembly(bytes);
  let from = 0;
  if (requestUri !== undefined) {
    output.text(`${request.method} ${requestUri} SIP/2.0\r\n`);
    from = head.startLineEnd + 2;
  }
  for (const field of stops(via, hops, routes)) {
    output.copy(from, head.startAt(field));
    from = head.startAt(field);
    if (field === via) {
      output.line(written.via, written.branch);
      for (const { at, text } of insertions) {
        output.copy(from, at);
        output.text(text);
        from = at;
      }
      continue;
    }
    if (field === hops) output.line(written.maxForwards, '');
    else if (field === routes[0] && written.route !== undefined) fieldLine(output, 'Route', written.route);
    from = head.startAt(field + 1);
  }
  output.copy(from, head.end - 2);
  output.line(written.maxBreadth, '');
  if (recordRoute !== undefined) fieldLine(output, 'Record-Route', recordRoute);
  if (written.mark !== undefined) output.line(written.mark, written.markText);
  output.copy(head.end - 2, bytes.length);
  return output.toBytes();
}

const NONE: readonly number[] = [];

function routeLines(head: Head): readonly number[] {
  let field = head.find(ROUTE);
  if (field < 0) return NONE;
  const lines: number[] = [];
  for (; field >= 0; field = head.find(ROUTE, field + 1)) lines.push(field);
  return lines;
}

/** The lines at which something happens, as they stand. */
function stops(via: number, hops: number, routes: readonly number[]): readonly number[] {
  if (routes.length > 0) return [via, hops, ...routes].sort((one, other) => one - other);
  return hops < via ? [hops, via] : [via, hops];
}

function fieldLine(output: Assembly, name: string, value: string): void {
  refuseLineBreak(value);
  output.text(`${name}: ${value}\r\n`);
}
