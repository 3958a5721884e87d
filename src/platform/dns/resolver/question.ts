/** The record types that the edge asks for. */
export const recordTypes = ['A', 'AAAA', 'SRV'] as const;

export type RecordType = (typeof recordTypes)[number];

/** One question; the name is canonical (`questionName`). */
export interface Question {
  readonly name: string;
  readonly type: RecordType;
}

/** One SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** Canonical name; empty when the service is decidedly not offered (target `.`). */
  readonly target: string;
}

/** What the values of each type are: addresses as canonical text, services as records. */
export interface RecordValues {
  readonly A: string;
  readonly AAAA: string;
  readonly SRV: ServiceRecord;
}

/** Letters, digits, hyphens, and the underscores of service names (RFC 2782, RFC 8552). */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Of a whole name in text form (RFC 1035 §2.3.4: 255 octets on the wire). */
const LONGEST_NAME = 253;

/** A name in the one form that is asked and compared (lower case, no trailing dot), or undefined if it is none. */
export function questionName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0 || name.length > LONGEST_NAME) return undefined;
  return name.split('.').every((label) => LABEL.test(label)) ? name : undefined;
}

export function questionKey(question: Question): string {
  return `${question.type} ${question.name}`;
}
