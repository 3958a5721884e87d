import { err, ok, type Result } from '#kernel';
import { consistsOf, DIGIT, skipSpace, TOKEN } from './characters.ts';

/** The value of CSeq (RFC 3261 §20.16). */
export interface CSeq {
  /** 0..2^31-1. */
  readonly number: number;
  readonly method: string;
}

type CSeqProblem = 'number' | 'method';

export function parseCSeq(text: string): Result<CSeq, CSeqProblem> {
  let end = 0;
  while (consistsOf(text, end, end + 1, DIGIT)) end++;
  const number = Number(text.slice(0, end));
  if (end === 0 || number >= 2 ** 31) return err('number');
  const start = skipSpace(text, end);
  if (start === end || !consistsOf(text, start, text.length, TOKEN)) return err('method');
  return ok({ number, method: text.slice(start) });
}
