import { type ErrorCode, err, type Failure, failure } from '#kernel';

/** Why a snapshot or an activation was not taken. */
export const refusalReasons = [
  'oversized',
  'malformed',
  'unknown-format',
  'unknown-signer',
  'bad-signature',
  'other-edge',
  'old-version',
  'fork',
  'incomplete',
  'sealed-to-another',
  'ahead',
  'unknown-key',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

const CODES: Readonly<Record<RefusalReason, ErrorCode>> = {
  oversized: 'SLP-CFG-0001',
  malformed: 'SLP-CFG-0002',
  'unknown-format': 'SLP-CFG-0003',
  'unknown-signer': 'SLP-CFG-0004',
  'bad-signature': 'SLP-CFG-0005',
  'other-edge': 'SLP-CFG-0006',
  'old-version': 'SLP-CFG-0007',
  fork: 'SLP-CFG-0008',
  incomplete: 'SLP-CFG-0009',
  'sealed-to-another': 'SLP-CFG-0010',
  ahead: 'SLP-CFG-0050',
  'unknown-key': 'SLP-CFG-0051',
};

/** A refusal with its place in the catalogue. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly failure: Failure;
}

export function refuse(reason: RefusalReason, detail?: string) {
  return err<Refusal>({ reason, failure: failure(CODES[reason], detail) });
}
