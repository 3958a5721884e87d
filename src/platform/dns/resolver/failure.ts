import { type ErrorCode, type Failure, failure } from '#kernel';

/** Why a question has no answer; closed, for metrics and traces. */
export const lookUpReasons = [
  /** The name does not exist (RFC 2308 §2.1). */
  'nxdomain',
  /** The name exists and has no record of the type (RFC 2308 §2.2). */
  'no-data',
  /** No resolver said anything in time. */
  'timeout',
  /** No resolver could be reached: no route, no local address of its family, port closed. */
  'unreachable',
  /** Every resolver that answered failed to find out. */
  'servfail',
  /** Every resolver that answered declined. */
  'refused',
  /** An answer came, and it cannot be used. */
  'bad-answer',
  /** The aliases lead in a circle, or on and on. */
  'alias-loop',
  /** It is no host or service name. */
  'bad-name',
  /** Too many questions are under way. */
  'busy',
  /** No resolver is known. */
  'no-resolver',
  /** This resolver was closed. */
  'stopped',
] as const;

export type LookUpReason = (typeof lookUpReasons)[number];

/** A question without an answer; `ttl` says for how many seconds it is worth no other try. */
export interface LookUpFailure extends Failure {
  readonly reason: LookUpReason;
  readonly ttl: number;
}

const codes: { readonly [reason in LookUpReason]: ErrorCode } = {
  nxdomain: 'SLP-DNS-0001',
  'no-data': 'SLP-DNS-0002',
  timeout: 'SLP-DNS-0003',
  unreachable: 'SLP-DNS-0003',
  servfail: 'SLP-DNS-0004',
  refused: 'SLP-DNS-0004',
  'bad-answer': 'SLP-DNS-0005',
  'alias-loop': 'SLP-DNS-0006',
  'bad-name': 'SLP-DNS-0007',
  busy: 'SLP-DNS-0008',
  'no-resolver': 'SLP-DNS-0009',
  stopped: 'SLP-DNS-0010',
};

export function lookUpFailure(reason: LookUpReason, detail: string, ttl = 0): LookUpFailure {
  return { ...failure(codes[reason], `${detail} (${reason})`), reason, ttl };
}
