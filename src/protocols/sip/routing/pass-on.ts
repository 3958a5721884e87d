import { Assembly } from '../messages/assembly.ts';
import type { FieldLine } from '../messages/field-line.ts';
import { CONTENT_LENGTH, MAX_BREADTH, MAX_FORWARDS, VIA } from '../messages/header-name.ts';
import type { SipRequest } from '../messages/message.ts';
import type { SourceStamp } from '../messages/via-source.ts';

/** What is written into a request that is passed on as it is (RFC 3261 §16.6). */
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
}

/**
 * A request in which nothing else is changed, with all that is written into it, in one pass over its octets: it makes the same of
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
  const output = new Assembly(bytes);
  let from = 0;
  const countHop = () => {
    output.copy(from, head.startAt(hops));
    output.line(written.maxForwards, '');
    from = head.startAt(hops + 1);
  };
  if (hops < via) countHop();
  output.copy(from, head.startAt(via));
  output.line(written.via, written.branch);
  from = head.startAt(via);
  for (const { at, text } of insertions) {
    output.copy(from, at);
    output.text(text);
    from = at;
  }
  if (hops > via) countHop();
  output.copy(from, head.end - 2);
  output.line(written.maxBreadth, '');
  if (written.mark !== undefined) output.line(written.mark, written.markText);
  output.copy(head.end - 2, bytes.length);
  return output.toBytes();
}
