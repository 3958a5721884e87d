import type { RowProof } from './row.ts';

/** Conferencing servers. */
export const row: RowProof = { id: 'int-04', notYet: 'web-conferencing' };
