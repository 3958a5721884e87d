import type { RowProof } from './row.ts';

/** SIP from public providers. */
export const row: RowProof = { id: 'pic-01', sameFlowAs: 'ext-06' };
