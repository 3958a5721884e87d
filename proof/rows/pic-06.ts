import type { RowProof } from './row.ts';

/** Users of public providers allocate as all clients do. */
export const row: RowProof = { id: 'pic-06', sameFlowAs: 'ext-14' };
