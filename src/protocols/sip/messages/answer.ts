import { Assembly } from './assembly.ts';
import type { Head } from './head.ts';
import { CALL_ID, CSEQ, FROM, TO, VIA } from './header-name.ts';
import type { SipLimits } from './limits.ts';
import { parseNameAddress } from './name-address.ts';

export interface AnswerFacts {
  readonly status: number;
  readonly reasonPhrase: string;
}

/**
 * The answer to a request too bad to become a SipRequest: RFC 3261 §8.2.6.2 done with the lines as they came.
 * A To without a tag gets one that depends on the request only, as a stateless answer must (RFC 3261 §8.2.7).
 * Undefined when there is no Via to match it by, or when the lines to be repeated are beyond the limits.
 */
export function answerBadRequest(head: Head, facts: AnswerFacts, limits: SipLimits): Buffer | undefined {
  const repeated = linesToRepeat(head);
  const fits = (field: number) => head.startAt(field + 1) - head.startAt(field) <= limits.headerLineBytes;
  if (head.find(VIA) < 0 || repeated.length > limits.headers || !repeated.every(fits)) return undefined;
  const answer = new Assembly(head.bytes);
  answer.text(`SIP/2.0 ${facts.status} ${facts.reasonPhrase}\r\n`);
  for (const field of repeated) {
    if (head.idAt(field) === TO && lacksTag(head, field)) {
      answer.copy(head.startAt(field), head.valueEndAt(field));
      answer.text(`;tag=${statelessTag(head)}\r\n`);
    } else {
      answer.copy(head.startAt(field), head.startAt(field + 1));
    }
  }
  answer.text('Content-Length: 0\r\n\r\n');
  return answer.toBytes();
}

/** Every Via, and the first of each of the others. */
function linesToRepeat(head: Head): number[] {
  const once = [FROM, TO, CALL_ID, CSEQ].map((id) => head.find(id));
  const fields: number[] = [];
  for (let field = 0; field < head.count; field++) {
    if (head.idAt(field) === VIA || once.includes(field)) fields.push(field);
  }
  return fields;
}

function lacksTag(head: Head, field: number): boolean {
  const to = parseNameAddress(head.valueAt(field));
  return to.ok && to.value.tag === undefined;
}

/** FNV-1a over the head: the same request gets the same tag again. It need not be unguessable. */
function statelessTag(head: Head): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < head.end; i++) hash = Math.imul(hash ^ head.bytes[i]!, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
