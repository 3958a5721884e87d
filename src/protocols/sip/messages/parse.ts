import { err, ok, type Result } from '#kernel';
import { type AnswerFacts, answerBadRequest } from './answer.ts';
import { consistsOf, DIGIT, numberIn } from './characters.ts';
import { type CSeq, parseCSeq } from './cseq.ts';
import { HEAD_END, Head, type HeadProblem, scanHead } from './head.ts';
import {
  CALL_ID,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  CSEQ,
  FROM,
  type HeaderId,
  MAX_FORWARDS,
  TO,
  VIA,
} from './header-name.ts';
import type { SipLimits } from './limits.ts';
import { type Essentials, type SipMessage, SipRequest, SipResponse } from './message.ts';
import { parseNameAddress } from './name-address.ts';
import {
  type BadStartLine,
  parseStartLine,
  type RequestLine,
  type StartLineProblem,
  type StatusLine,
} from './start-line.ts';
import { usualAddress, usualCallId, usualCSeq, usualStartLine, usualVias } from './usual.ts';
import { parseVia, type Via } from './via.ts';

/** Why a message was not accepted. A closed set: each is a counter. */
export type SipParseReason =
  | HeadProblem
  | StartLineProblem
  | 'no-header-end'
  | 'start-line-too-long'
  | 'message-too-large'
  | 'repeated-header'
  | 'via'
  | 'from'
  | 'to'
  | 'call-id'
  | 'cseq'
  | 'cseq-method'
  | 'max-forwards'
  | 'content-length'
  | 'content-length-missing'
  | 'body-too-short';

export interface SipParseError {
  readonly reason: SipParseReason;
  /** What it was meant to be; `unknown` when the lines of its head cannot be told apart. */
  readonly kind: 'request' | 'response' | 'unknown';
  /**
   * What the sender of a request is told; undefined when nothing can be answered (a response, an ACK, no
   * SIP).
   */
  readonly status?: number | undefined;
  readonly reasonPhrase?: string | undefined;
  /** The complete answer, built from the request's own headers. */
  readonly response?: Buffer | undefined;
}

/**
 * Parses one whole message, such as a datagram. Octets behind Content-Length are left out of the message
 * (RFC 3261 §18.3); without Content-Length the body goes to the end.
 *
 * The message borrows `bytes`: they must not change while it is in use.
 */
export function parseSipMessage(bytes: Buffer, limits: SipLimits): Result<SipMessage, SipParseError> {
  if (bytes.length > limits.messageBytes) return err({ reason: 'message-too-large', kind: 'unknown' });
  const blank = bytes.indexOf(HEAD_END);
  if (blank < 0) return err({ reason: 'no-header-end', kind: 'unknown' });
  const end = blank + 4;
  const head = new Head(bytes, end, scanHead(bytes, 0, end, limits));
  const parsed = parseHead(head, limits);
  if (!parsed.ok) return parsed;
  const { contentLength } = parsed.value;
  if (contentLength === undefined) return ok(makeMessage(head, parsed.value));
  const total = end + contentLength;
  if (total > bytes.length) return err(refusal('body-too-short', head, parsed.value.line, limits));
  return ok(makeMessage(total === bytes.length ? head : head.moved(bytes.subarray(0, total)), parsed.value));
}

/** A head that was found good, before its body is there. */
export interface ParsedHead {
  readonly line: RequestLine | StatusLine;
  readonly essentials: Essentials;
  readonly contentLength: number | undefined;
}

/** Checks everything that RFC 3261 §8.1.1 and §20 ask of the headers every message has. */
export function parseHead(head: Head, limits: SipLimits): Result<ParsedHead, SipParseError> {
  if (head.problem !== undefined && !isAnswerable(head.problem))
    return err({ reason: head.problem, kind: 'unknown' });
  const line = usualStartLine(head) ?? parseStartLine(head.startLine);
  if (line.kind === 'bad') return err(refusal(line.problem, head, line, limits));
  if (head.startLineEnd + 2 > limits.headerLineBytes)
    return err(refusal('start-line-too-long', head, line, limits));
  if (head.problem !== undefined) return err(refusal(head.problem, head, line, limits));
  const contentLength = contentLengthOf(head);
  if (contentLength === 'content-length') return err(refusal(contentLength, head, line, limits));
  const essentials = parseEssentials(head, line, limits);
  if (typeof essentials === 'string') return err(refusal(essentials, head, line, limits));
  return ok({ line, essentials, contentLength });
}

export function makeMessage(head: Head, { line, essentials }: ParsedHead): SipMessage {
  return line.kind === 'request'
    ? new SipRequest(head, essentials, line)
    : new SipResponse(head, essentials, line);
}

/** The lines of the head are in order, so the ones an answer repeats can be trusted. */
function isAnswerable(problem: HeadProblem): boolean {
  return problem === 'header-too-long' || problem === 'too-many-headers' || problem === 'not-utf8';
}

/**
 * Content-Length; undefined when there is none, 'content-length' when it is no number or there are several.
 */
export function contentLengthOf(head: Head): number | undefined | 'content-length' {
  const field = head.find(CONTENT_LENGTH);
  if (field < 0) return undefined;
  if (head.isRepeated(CONTENT_LENGTH)) return 'content-length';
  const length = numberIn(head.bytes, head.valueStartAt(field), head.valueEndAt(field));
  return length < 0 ? 'content-length' : length;
}

function parseEssentials(
  head: Head,
  line: RequestLine | StatusLine,
  limits: SipLimits,
): Essentials | SipParseReason {
  const cseq = parseOnce(head, CSEQ, usualCSeq, parseCSeq);
  if (typeof cseq === 'string') return cseq === 'repeated-header' ? cseq : 'cseq';
  const from = parseOnce(head, FROM, usualAddress, parseNameAddress);
  if (typeof from === 'string') return from === 'repeated-header' ? from : 'from';
  const to = parseOnce(head, TO, usualAddress, parseNameAddress);
  if (typeof to === 'string') return to === 'repeated-header' ? to : 'to';
  const callId = callIdOf(head);
  if (typeof callId !== 'string') return callId.problem;
  const vias = parseVias(head, limits);
  if (vias === undefined) return 'via';
  const other = checkOthers(head, line, cseq);
  if (other !== undefined) return other;
  return { vias, from, to, callId, cseq };
}

/** Parses a field that must stand there exactly once. */
function parseOnce<T extends object>(
  head: Head,
  id: HeaderId,
  usual: (head: Head, field: number) => T | undefined,
  parse: (text: string) => Result<T, string>,
): T | 'repeated-header' | 'bad' {
  const field = head.find(id);
  if (field < 0) return 'bad';
  if (head.isRepeated(id)) return 'repeated-header';
  const read = usual(head, field);
  if (read !== undefined) return read;
  const parsed = parse(head.valueAt(field));
  return parsed.ok ? parsed.value : 'bad';
}

/** callid = word ["@" word]: visible ASCII only (RFC 3261 §25.1). */
function callIdOf(head: Head): string | { readonly problem: 'repeated-header' | 'call-id' } {
  const field = head.find(CALL_ID);
  if (field >= 0 && head.isRepeated(CALL_ID)) return { problem: 'repeated-header' };
  return (field < 0 ? undefined : usualCallId(head, field)) ?? { problem: 'call-id' };
}

function parseVias(head: Head, limits: SipLimits): [Via, ...Via[]] | undefined {
  const vias: Via[] = [];
  for (let field = head.find(VIA); field >= 0; field = head.find(VIA, field + 1)) {
    if (!usualVias(head, field, vias) && !addVias(head, field, vias, limits)) return undefined;
    // A list puts thousands of values into one line; the limit on lines is the limit on them, too.
    if (vias.length > limits.headers) return undefined;
  }
  return vias.length === 0 ? undefined : (vias as [Via, ...Via[]]);
}

/** The values of a line that is not written as most are. */
function addVias(head: Head, field: number, into: Via[], limits: SipLimits): boolean {
  const texts: string[] = [];
  head.valuesAt(field, texts);
  if (texts.length > limits.headers) return false;
  for (const text of texts) {
    const via = parseVia(text);
    if (!via.ok) return false;
    into.push(via.value);
  }
  return true;
}

function checkOthers(head: Head, line: RequestLine | StatusLine, cseq: CSeq): SipParseReason | undefined {
  if (head.isRepeated(CONTENT_TYPE) || head.isRepeated(MAX_FORWARDS)) return 'repeated-header';
  if (line.kind === 'response') return undefined;
  if (cseq.method !== line.method) return 'cseq-method';
  const hops = head.find(MAX_FORWARDS);
  if (hops < 0) return undefined;
  const number = numberIn(head.bytes, head.valueStartAt(hops), head.valueEndAt(hops));
  if (number >= 0 && number <= 255) return undefined;
  return isMaxForwards(head.valueAt(hops)) ? undefined : 'max-forwards';
}

/** 0..255; leading zeros are legal (RFC 3261 §20.22). */
function isMaxForwards(text: string): boolean {
  return consistsOf(text, 0, text.length, DIGIT) && Number(text) <= 255;
}

/** The refusal of a message whose lines could be told apart, with the answer to it when it is a request. */
export function refusal(
  reason: SipParseReason,
  head: Head,
  line: RequestLine | StatusLine | BadStartLine,
  limits: SipLimits,
): SipParseError {
  const kind = kindOf(line);
  if (kind !== 'request' || line.kind === 'response' || line.method === 'ACK') return { reason, kind };
  const answer = answers[reason] ?? { status: 400, reasonPhrase: 'Bad Request' };
  return { reason, kind, ...answer, response: answerBadRequest(head, answer, limits) };
}

function kindOf(line: RequestLine | StatusLine | BadStartLine): SipParseError['kind'] {
  if (line.kind !== 'bad') return line.kind;
  if (line.method !== undefined) return 'request';
  return line.problem === 'not-sip' ? 'unknown' : 'response';
}

/** What the sender is told; everything that is not here is a plain 400 (RFC 3261 §21.4.1). */
const answers: { readonly [reason in SipParseReason]?: AnswerFacts } = {
  version: { status: 505, reasonPhrase: 'Version Not Supported' },
  'start-line-too-long': { status: 414, reasonPhrase: 'Request-URI Too Long' },
  'header-too-long': { status: 513, reasonPhrase: 'Message Too Large' },
  'too-many-headers': { status: 513, reasonPhrase: 'Message Too Large' },
  'message-too-large': { status: 513, reasonPhrase: 'Message Too Large' },
  'start-line': { status: 400, reasonPhrase: 'Bad Request Line' },
  'request-uri': { status: 400, reasonPhrase: 'Bad Request-URI' },
  'repeated-header': { status: 400, reasonPhrase: 'Repeated Header Field' },
  via: { status: 400, reasonPhrase: 'Missing or Bad Via' },
  from: { status: 400, reasonPhrase: 'Missing or Bad From' },
  to: { status: 400, reasonPhrase: 'Missing or Bad To' },
  'call-id': { status: 400, reasonPhrase: 'Missing or Bad Call-ID' },
  cseq: { status: 400, reasonPhrase: 'Missing or Bad CSeq' },
  'cseq-method': { status: 400, reasonPhrase: 'CSeq Method Does Not Match' },
  'max-forwards': { status: 400, reasonPhrase: 'Bad Max-Forwards' },
  'content-length': { status: 400, reasonPhrase: 'Bad Content-Length' },
  'content-length-missing': { status: 400, reasonPhrase: 'Missing Content-Length' },
  'body-too-short': { status: 400, reasonPhrase: 'Body Shorter Than Content-Length' },
};
