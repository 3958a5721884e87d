import type { RowProof } from './row.ts';

/** The relay by TCP, inside. */
export const row: RowProof = { id: 'int-07', notYet: 'av' };
