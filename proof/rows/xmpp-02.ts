import type { RowProof } from './row.ts';

/** XMPP to partners. */
export const row: RowProof = { id: 'xmpp-02', notYet: 'xmpp-proxy' };
