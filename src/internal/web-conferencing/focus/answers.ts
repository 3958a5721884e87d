import type { RespondOptions } from '#platform/sip-endpoint';
import {
  CONFERENCE_EVENT,
  CONFERENCE_INFO_TYPE,
  formatConferenceUri,
  formatJoinAnswer,
  JOIN_ANSWER_TYPE,
  type JoinAnswer,
} from '#protocols/conference';
import type { SipRequest } from '#protocols/sip';
import type { AdmitRefusal, ParticipantKind } from '../conferences.ts';
import type { FocusOutcome } from './focus-metrics.ts';

/** What a caller is told instead of being let in. */
export interface Refusal {
  readonly status: number;
  readonly outcome: FocusOutcome;
  readonly options?: RespondOptions;
}

export const ALLOW = ['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS, SUBSCRIBE'] as const;
const EVENTS = ['Allow-Events', CONFERENCE_EVENT] as const;
const RETRY_SECONDS = '5';
export const SHORTEST_SUBSCRIPTION = 60;

export const NO_DIALOG: Refusal = { status: 481, outcome: 'no-dialog' };
export const BUSY: Refusal = {
  status: 503,
  outcome: 'busy',
  options: { headers: [['Retry-After', RETRY_SECONDS]] },
};
export const NOT_THE_SENDER: Refusal = { status: 403, outcome: 'not-the-sender' };
/** The same for every conference, whether there is one or not. */
export const WRONG_KEY: Refusal = { status: 403, outcome: 'wrong-key' };
export const METHOD: Refusal = { status: 405, outcome: 'method', options: { headers: [ALLOW] } };
/** Takes no part, so is told nothing. */
export const NOT_IN: Refusal = { status: 480, outcome: 'not-in' };

const REFUSED: Readonly<Record<AdmitRefusal, number>> = {
  unknown: 404,
  locked: 480,
  removed: 603,
  ended: 410,
  expired: 410,
  full: 486,
  'not-allowed': 404,
  unavailable: 503,
};

/** Who knows the key may know that the conference is not for guests; 403 would count as a guess at the edge. */
export function refusalOf(why: AdmitRefusal, kind: ParticipantKind): Refusal {
  if (why === 'unavailable') return { ...BUSY, outcome: why };
  return { status: why === 'not-allowed' && kind === 'guest' ? 606 : REFUSED[why], outcome: why };
}

/** RFC 4579 §4.2: whoever answers is a focus. */
export function contactOf(conference: { readonly id: string; readonly domain: string }): [string, string] {
  return ['Contact', `<${formatConferenceUri(conference)}>;isfocus`];
}

export function joined(answer: JoinAnswer): RespondOptions {
  return {
    headers: [contactOf(answer.conference), ALLOW, EVENTS, ['Content-Type', JOIN_ANSWER_TYPE]],
    body: Buffer.from(formatJoinAnswer(answer)),
  };
}

/** RFC 3261 §11.2; the same for every address, whether there is such a conference or not. */
export function capabilities(): RespondOptions {
  return {
    headers: [ALLOW, EVENTS, ['Accept', `${JOIN_ANSWER_TYPE}, ${CONFERENCE_INFO_TYPE}`]],
  };
}

/** What an INVITE to a conference must be ready for, whoever sends it. */
export function problemOfInvite(request: SipRequest): Refusal | undefined {
  return (
    problemOfRequire(request) ?? (accepts(request, JOIN_ANSWER_TYPE, false) ? undefined : NOT_ACCEPTABLE)
  );
}

export function problemOfSubscribe(request: SipRequest): Refusal | undefined {
  const event = (request.header('Event') ?? '').split(';')[0]?.trim().toLowerCase();
  if (event !== CONFERENCE_EVENT) {
    return { status: 489, outcome: 'not-acceptable', options: { headers: [EVENTS] } };
  }
  const required = problemOfRequire(request);
  if (required !== undefined) return required;
  if (!accepts(request, CONFERENCE_INFO_TYPE, true)) return NOT_ACCEPTABLE;
  const expires = expiresOf(request);
  if (expires === 0 || expires >= SHORTEST_SUBSCRIPTION) return undefined;
  const headers = [['Min-Expires', `${SHORTEST_SUBSCRIPTION}`]] as const;
  return { status: 423, outcome: 'not-acceptable', options: { headers } };
}

/** RFC 4575 §3.3: an hour, and no longer. */
const USUAL_SECONDS = 3600;

export function expiresOf(request: SipRequest): number {
  const text = request.header('Expires')?.trim() ?? '';
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), USUAL_SECONDS) : USUAL_SECONDS;
}

const NOT_ACCEPTABLE: Refusal = {
  status: 406,
  outcome: 'not-acceptable',
  options: { headers: [['Accept', JOIN_ANSWER_TYPE]] },
};

function problemOfRequire(request: SipRequest): Refusal | undefined {
  const required = request.values('Require');
  if (required.length === 0) return undefined;
  return {
    status: 420,
    outcome: 'not-acceptable',
    options: { headers: [['Unsupported', required.join(', ')]] },
  };
}

/** @param usual whether somebody who says nothing takes this type */
function accepts(request: SipRequest, type: string, usual: boolean): boolean {
  if (!request.has('Accept')) return usual;
  return request.values('Accept').some((value) => {
    const range = value.split(';')[0]?.trim().toLowerCase();
    return range === type || range === '*/*' || range === 'application/*';
  });
}
