import type { RowProof } from './row.ts';

/** The XMPP gateway. */
export const row: RowProof = { id: 'int-01', notYet: 'xmpp-proxy' };
