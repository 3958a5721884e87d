import type { RowProof } from './row.ts';

/** Revocation lists by HTTP. */
export const row: RowProof = { id: 'ext-02', notYet: 'access' };
