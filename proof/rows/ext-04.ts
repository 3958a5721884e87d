import type { RowProof } from './row.ts';

/** Names by UDP. */
export const row: RowProof = { id: 'ext-04', notYet: 'access' };
