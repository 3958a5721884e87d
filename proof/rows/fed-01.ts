import type { RowProof } from './row.ts';

/** SIP to partners. */
export const row: RowProof = { id: 'fed-01', sameFlowAs: 'ext-07' };
