import type { RowProof } from './row.ts';

/** From relay to relay by TCP. */
export const row: RowProof = { id: 'ext-16', notYet: 'av' };
