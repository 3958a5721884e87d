import type { RowProof } from './row.ts';

/** XMPP from partners. */
export const row: RowProof = { id: 'ext-01', notYet: 'xmpp-proxy' };
