import type { RowProof } from './row.ts';

/** SIP to partners. */
export const row: RowProof = { id: 'ext-07', notYet: 'access' };
