import type { RowProof } from './row.ts';

/** Media to the relay range by TCP. */
export const row: RowProof = { id: 'ext-11', notYet: 'av' };
