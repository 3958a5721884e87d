import type { RowProof } from './row.ts';

/** Conferences of participants outside. */
export const row: RowProof = { id: 'ext-08', notYet: 'web-conferencing' };
