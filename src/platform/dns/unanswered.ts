import { type Complaint, quote, type Severity } from '#platform/topology';

/**
 * Why nothing can be said about a name. That a resolver is asked nothing more is the same for all names.
 * @param severity what it means that this one question has no answer
 */
export function unanswered(
  name: string,
  type: string,
  code: string,
  severity: Severity = 'error',
): Complaint {
  const whole = WHOLE[code];
  if (whole !== undefined) return { severity: 'error', rule: 'no-answer', ...whole };
  const what = `${quote(name)} ${type}: the resolver gives no answer (${code})`;
  return { severity, rule: 'no-answer', what, instead: REMEDIES[code] ?? OTHER_REMEDY };
}

const OTHER_REMEDY = 'see whether the resolver is reached, or ask another with --resolver';
const REMEDIES: Readonly<Record<string, string>> = {
  ESERVFAIL: 'see whether the zone is served and its signatures are valid, or ask another with --resolver',
  EREFUSED: 'ask a resolver that serves this host, with --resolver',
};
const WHOLE: Readonly<Record<string, Pick<Complaint, 'what' | 'instead'>>> = {
  GIVEN_UP: {
    what: 'the resolver says nothing, and the other records were not asked for',
    instead: OTHER_REMEDY,
  },
  TOO_MANY_QUESTIONS: {
    what: 'the document has more names than one check asks for, and some were not asked for',
    instead: 'check the SIP domains in parts, a document each',
  },
};
