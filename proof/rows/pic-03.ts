import type { RowProof } from './row.ts';

/** Clients of public providers come as all clients do. */
export const row: RowProof = { id: 'pic-03', sameFlowAs: 'ext-05' };
