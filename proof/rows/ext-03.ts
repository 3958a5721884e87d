import type { RowProof } from './row.ts';

/** Names by TCP. */
export const row: RowProof = { id: 'ext-03', notYet: 'access' };
