import assert from 'node:assert/strict';
import { addresses, edgeNames } from '../network/addresses.ts';
import { partners } from '../programs/documents.ts';
import type { RowProof } from './row.ts';

/** Messages are sent until each edge has carried one; the chance that this many all go by one edge is one in 2^23. */
const MOST_MESSAGES = 24;

/** Bob inside writes to partners: both edges dial Kamailio from their Access addresses, by either family. */
export const row: RowProof = {
  id: 'ext-07',
  async run(perimeter) {
    const partner = await perimeter.partner();
    const bob = await perimeter.signedIn('bob');
    const seen: string[] = [];
    for (const { domain, family } of Object.values(partners)) {
      const access = edgeNames.map((edge) => addresses[edge].access[family === 4 ? 'v4' : 'v6']);
      const sources = new Set<string>();
      for (let sent = 0; sent < MOST_MESSAGES && sources.size < access.length; sent++) {
        const text = `to ${domain} ${sent}`;
        await perimeter.actor('bob').call('message', { user: bob, to: `erin@${domain}`, text });
        const line = await partner.took(text);
        assert.match(line, /verified=1 san=sip\.proof\.test level=ms-source-verified-user=verified/);
        sources.add(/src=(\S+)/.exec(line)?.[1] ?? '');
      }
      assert.deepEqual([...sources].sort(), [...access].sort(), `each edge wrote to ${domain}`);
      seen.push(...access);
    }
    return {
      seen: `bob's messages reached Kamailio by mutual TLS from ${seen.join(', ')}`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
