import type { RowProof } from './row.ts';

/** From relay to relay, with public providers. */
export const row: RowProof = { id: 'pic-05', sameFlowAs: 'ext-13' };
