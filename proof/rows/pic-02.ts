import type { RowProof } from './row.ts';

/** SIP to public providers. */
export const row: RowProof = { id: 'pic-02', sameFlowAs: 'ext-07' };
