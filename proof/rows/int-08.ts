import assert from 'node:assert/strict';
import { edgeReport, REPLICATION_PATHS } from '#protocols/replication';
import { addresses, edgeNames } from '../network/addresses.ts';
import { DOMAIN, names } from '../programs/documents.ts';
import type { RowProof } from './row.ts';

/** curl stands for a management store: HTTPS with a certificate that both edges name, one by IPv4 and one by IPv6. */
export const row: RowProof = {
  id: 'int-08',
  async run(perimeter) {
    const places = { edge1: addresses.edge1.internal.v4, edge2: `[${addresses.edge2.internal.v6}]` };
    const ask = (edge: 'edge1' | 'edge2', identity: readonly string[]) =>
      perimeter
        .host('counterparts')
        .run('curl', [
          ...['--silent', '--show-error', '--fail', '--max-time', '20', '--noproxy', '*'],
          ...['--cacert', perimeter.files.authority, ...identity],
          ...['--resolve', `${names[edge]}:4443:${places[edge]}`],
          `https://${names[edge]}:4443${REPLICATION_PATHS.report}`,
        ]);
    const identityOf = (name: string) => [
      ...['--cert', perimeter.files.path(`${name}.pem`)],
      ...['--key', perimeter.files.path(`${name}.key`)],
    ];
    for (const edge of edgeNames) {
      const report = edgeReport.parse(JSON.parse(await ask(edge, identityOf('front-end'))));
      assert.equal(report.edge, names[edge]);
      assert.equal(report.policy, 'local');
      await assert.rejects(ask(edge, []), `${edge} answered without a certificate`);
      await assert.rejects(
        ask(edge, identityOf('edge2')),
        `${edge} answered a host of ${DOMAIN} that is no store`,
      );
    }
    return {
      seen: `curl at ${addresses.counterparts.v4} and ${addresses.counterparts.v6} read the reports of both edges by mutual TLS`,
      passage: { firewall: 'internalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
