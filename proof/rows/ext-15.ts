import type { RowProof } from './row.ts';

/** The relay by TCP. */
export const row: RowProof = { id: 'ext-15', notYet: 'av' };
