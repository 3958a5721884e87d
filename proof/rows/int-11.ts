import type { RowProof } from './row.ts';

/** The log controller, third port. */
export const row: RowProof = { id: 'int-11', notYet: 'logging-agent' };
