import type { RowProof } from './row.ts';

/** The management store. */
export const row: RowProof = { id: 'int-08', notYet: 'replica' };
