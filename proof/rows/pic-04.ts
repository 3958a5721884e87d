import type { RowProof } from './row.ts';

/** Media to users of public providers. */
export const row: RowProof = { id: 'pic-04', sameFlowAs: 'ext-09' };
