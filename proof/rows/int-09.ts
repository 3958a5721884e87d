import type { RowProof } from './row.ts';

/** The log controller, first port. */
export const row: RowProof = { id: 'int-09', notYet: 'logging-agent' };
