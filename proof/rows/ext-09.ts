import type { RowProof } from './row.ts';

/** Media from the relay range by TCP. */
export const row: RowProof = { id: 'ext-09', notYet: 'av' };
