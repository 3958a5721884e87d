import { isIP } from 'node:net';
import type { AnswerRecord, ResponseMessage } from './message.ts';
import {
  type Question,
  questionName,
  type RecordType,
  type RecordValues,
  type ServiceRecord,
} from './question.ts';

/** What one response says about one question. */
export type Reading<Type extends RecordType = RecordType> =
  | { readonly state: 'found'; readonly values: readonly RecordValues[Type][]; readonly ttl: number }
  /** `ttl` undefined: do not keep it. */
  | { readonly state: 'absent'; readonly reason: 'nxdomain' | 'no-data'; readonly ttl: number | undefined }
  /** The chain of aliases leaves this response; `ttl` is the shortest so far. */
  | { readonly state: 'alias'; readonly target: string; readonly hops: number; readonly ttl: number }
  | { readonly state: 'useless'; readonly reason: 'servfail' | 'refused' | 'bad-answer' | 'alias-loop' }
  /** The server does not know EDNS (RFC 6891 §7). */
  | { readonly state: 'no-edns' };

export interface ReadingLimits {
  /** CNAME records followed for one question. */
  readonly aliases: number;
  /** Values of one answer; the rest is not used. */
  readonly values: number;
}

/** Answers with another code than NOERROR and NXDOMAIN. */
const useless: { readonly [rcode: number]: Reading } = {
  1: { state: 'no-edns' },
  2: { state: 'useless', reason: 'servfail' },
  4: { state: 'no-edns' },
  5: { state: 'useless', reason: 'refused' },
};

/**
 * Reads a whole (not truncated) response. Only the answer section is believed, and in it only the records of the name
 * asked and of the aliases that it leads to, so that nothing else can be slipped in (RFC 5452 §6, RFC 2181 §5.4.1).
 */
export function readResponse(response: ResponseMessage, question: Question, limits: ReadingLimits): Reading {
  if (response.rcode !== 0 && response.rcode !== 3)
    return useless[response.rcode] ?? { state: 'useless', reason: 'servfail' };
  const chain = followAliases(response.answers, question.name, limits.aliases);
  if (chain === undefined) return { state: 'useless', reason: 'alias-loop' };
  const own = response.answers.filter(({ owner, type }) => owner === chain.name && type === question.type);
  const values = own.flatMap((record) => valuesIn(record)).slice(0, limits.values);
  if (values.length > 0)
    return { state: 'found', values, ttl: Math.min(chain.ttl, ...own.map(({ ttl }) => ttl)) };
  if (own.length > 0) return { state: 'useless', reason: 'bad-answer' };
  const ttl = response.absenceTtl === undefined ? undefined : Math.min(chain.ttl, response.absenceTtl);
  if (response.rcode === 3) return { state: 'absent', reason: 'nxdomain', ttl };
  if (response.absenceTtl !== undefined) return { state: 'absent', reason: 'no-data', ttl };
  if (chain.hops > 0) return { state: 'alias', target: chain.name, hops: chain.hops, ttl: chain.ttl };
  if (response.referral) return { state: 'useless', reason: 'refused' };
  return { state: 'absent', reason: 'no-data', ttl: undefined };
}

interface Chain {
  readonly name: string;
  readonly hops: number;
  readonly ttl: number;
}

/** Undefined when the chain is longer than allowed, goes in a circle, or leads to what is no name. */
function followAliases(answers: readonly AnswerRecord[], start: string, most: number): Chain | undefined {
  const aliases = new Map<string, AnswerRecord>();
  for (const record of answers)
    if (record.type === 'CNAME' && !aliases.has(record.owner)) aliases.set(record.owner, record);
  let name = start;
  let ttl = Number.POSITIVE_INFINITY;
  for (let hops = 0; hops <= most; hops++) {
    const alias = aliases.get(name);
    if (alias === undefined) return { name, hops, ttl };
    const target = typeof alias.data === 'string' ? questionName(alias.data) : undefined;
    if (target === undefined) return undefined;
    name = target;
    ttl = Math.min(ttl, alias.ttl);
  }
  return undefined;
}

/** No value for a record whose content is not what its type wants. */
function valuesIn(record: AnswerRecord): (string | ServiceRecord)[] {
  const { type, data } = record;
  if (type === 'A') return typeof data === 'string' && isIP(data) === 4 ? [data] : [];
  if (type === 'AAAA') return typeof data === 'string' && isIP(data) === 6 ? [canonicalIpv6(data)] : [];
  return type === 'SRV' ? serviceOf(data) : [];
}

/** RFC 5952; an IPv4-mapped address stays what it is, since nothing in the DNS means one. */
function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function serviceOf(data: unknown): ServiceRecord[] {
  if (typeof data !== 'object' || data === null) return [];
  const { priority, weight, port, target } = data as { [field: string]: unknown };
  if (typeof target !== 'string' || typeof port !== 'number') return [];
  const name = target === '.' || target === '' ? '' : questionName(target);
  if (name === undefined) return [];
  return [{ priority: number16(priority), weight: number16(weight), port, target: name }];
}

function number16(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
