import type { RowProof } from './row.ts';

/** XMPP from partners, as the XMPP table has it. */
export const row: RowProof = { id: 'xmpp-01', sameFlowAs: 'ext-01' };
