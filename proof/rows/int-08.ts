import assert from 'node:assert/strict';
import { edgeReport, REPLICATION_PATHS } from '#protocols/replication';
import { addresses, edgeNames } from '../network/addresses.ts';
import { DOMAIN, names } from '../programs/documents.ts';
import { ManagementStore } from '../programs/management-store.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { RowProof } from './row.ts';

/**
 * A management store gives both edges their policy, one by IPv4 and one by IPv6: the first load by a file, the next version
 * by a push. curl, which we did not write, reads what the edges report, and is let in with the store's certificate only.
 */
export const row: RowProof = {
  id: 'int-08',
  async run(perimeter) {
    for (const edge of edgeNames) {
      assert.equal((await reportOf(perimeter, edge, 'front-end')).policy, 'local');
      await assert.rejects(ask(perimeter, edge, []), `${edge} answered without a certificate`);
      await assert.rejects(
        ask(perimeter, edge, identityOf(perimeter, 'edge2')),
        `${edge} answered a host of ${DOMAIN} that is no store`,
      );
    }
    const version = await pushed(perimeter);
    return {
      seen: `the store at ${addresses.counterparts.v4} and ${addresses.counterparts.v6} pushed version ${version} to both edges; curl read their reports`,
      passage: { firewall: 'internalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};

async function pushed(perimeter: Perimeter): Promise<number> {
  const store = await ManagementStore.start(perimeter);
  try {
    await store.adopt();
    const version = await store.push('policy.limits.access.connections', 4321);
    for (const edge of edgeNames) {
      const { policy, head, last } = await reportOf(perimeter, edge, 'front-end');
      assert.equal(policy, 'replicated');
      assert.equal(head?.version, version);
      assert.deepEqual([last?.outcome, last?.head?.version], ['applied', version], `${edge} was pushed to`);
      const { limits } = perimeter.document(edge).policy;
      assert.equal(limits.access.connections, 4321);
    }
    return version;
  } finally {
    await store.stop();
    // Their own policy again.
    await perimeter.vary({});
  }
}

async function reportOf(perimeter: Perimeter, edge: (typeof edgeNames)[number], identity: string) {
  const report = edgeReport.parse(JSON.parse(await ask(perimeter, edge, identityOf(perimeter, identity))));
  assert.equal(report.edge, names[edge]);
  return report;
}

function ask(
  perimeter: Perimeter,
  edge: (typeof edgeNames)[number],
  identity: readonly string[],
): Promise<string> {
  const places = { edge1: addresses.edge1.internal.v4, edge2: `[${addresses.edge2.internal.v6}]` };
  return perimeter
    .host('counterparts')
    .run('curl', [
      ...['--silent', '--show-error', '--fail', '--max-time', '20', '--noproxy', '*'],
      ...['--cacert', perimeter.files.authority, ...identity],
      ...['--resolve', `${names[edge]}:4443:${places[edge]}`],
      `https://${names[edge]}:4443${REPLICATION_PATHS.report}`,
    ]);
}

function identityOf(perimeter: Perimeter, name: string): string[] {
  return ['--cert', perimeter.files.path(`${name}.pem`), '--key', perimeter.files.path(`${name}.key`)];
}
