import type { RowProof } from './row.ts';

/** The XMPP gateway, as the XMPP table has it. */
export const row: RowProof = { id: 'xmpp-03', sameFlowAs: 'int-01' };
