import type { RowProof } from './row.ts';

/** SIP from partners. */
export const row: RowProof = { id: 'ext-06', notYet: 'access' };
