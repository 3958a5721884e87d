export type Severity = 'error' | 'warning' | 'instruction';

/** One thing to say about a document, at the place where it is to be changed. Line and column count from 1. */
export interface DocumentFinding {
  severity: Severity;
  /** The rule's stable name, such as `port-clash`. */
  rule: string;
  file: string;
  line: number;
  column: number;
  what: string;
  /** What to write instead. */
  instead: string;
}

export type DocumentError = DocumentFinding & { severity: 'error' };

/** A key or list index a step, from the document's root. */
export type Path = readonly (string | number)[];

/** What a rule reports; the position is looked up from the path. */
export interface Complaint {
  severity: Severity;
  rule: string;
  what: string;
  instead: string;
}

export type Report = (path: Path, complaint: Complaint) => void;

/** `file:line:column: what: what to write instead`, one line with nothing in it that a terminal would obey. */
export function formatDocumentError(finding: DocumentFinding): string {
  return printable(`${finding.file}:${finding.line}:${finding.column}: ${finding.what}: ${finding.instead}`);
}

/** Text with nothing left in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

/** `policy.nextHop.members[0].port` */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

const LONGEST_QUOTE = 60;

/** Text from a document, made safe to print: quoted, control characters escaped, cut to 60 characters. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  const escaped = JSON.stringify(shown).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202f\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped;
}
