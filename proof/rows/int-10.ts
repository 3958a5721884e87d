import type { RowProof } from './row.ts';

/** The log controller, second port. */
export const row: RowProof = { id: 'int-10', notYet: 'logging-agent' };
