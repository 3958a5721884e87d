import type { RowProof } from './row.ts';

/** From relay to relay by UDP. */
export const row: RowProof = { id: 'ext-13', notYet: 'av' };
