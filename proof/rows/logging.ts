import assert from 'node:assert/strict';
import { addresses, type EdgeName, edgeNames } from '../network/addresses.ts';
import { names } from '../programs/documents.ts';
import { LogClient } from '../programs/log-client.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { Evidence } from './row.ts';

/** Where the log controller of the proof finds each edge, one by IPv4 and one by IPv6. */
const places = { edge1: addresses.edge1.internal.v4, edge2: `[${addresses.edge2.internal.v6}]` };
export const controllerAt = `${addresses.counterparts.v4} and ${addresses.counterparts.v6}`;

function identity(perimeter: Perimeter, name: string) {
  const { authority } = perimeter.files;
  return {
    authority,
    certificate: perimeter.files.path(`${name}.pem`),
    key: perimeter.files.path(`${name}.key`),
  };
}

/** Talks to one edge on one of its three ports, from where the log controller stands. */
export async function withEdge(
  perimeter: Perimeter,
  edge: EdgeName,
  port: number,
  talk: (client: LogClient) => Promise<void>,
): Promise<void> {
  const host = perimeter.host('counterparts');
  const at = `${places[edge]}:${port}`;
  const client = new LogClient(host, at, names[edge], identity(perimeter, 'front-end'));
  try {
    assert.equal(await client.greet(), names[edge]);
    await talk(client);
  } finally {
    await client.close();
  }
  // A host of the same authority that the edge does not name gets no answer.
  const other = new LogClient(host, at, names[edge], identity(perimeter, 'edge2'));
  try {
    await assert.rejects(other.greet(), `${edge} answered a host that is no log controller`);
  } finally {
    await other.close();
  }
}

/** Has both edges store an event that is found by `marker` and the edge's name. */
export async function mark(perimeter: Perimeter, marker: string): Promise<void> {
  for (const edge of edgeNames) {
    await withEdge(perimeter, edge, 50_001, async (client) => {
      const [shown] = await client.ask({ type: 'show' });
      assert.match(JSON.stringify(shown), /AlwaysOn/);
      for (const request of [{ type: 'mark', marker: `${marker}-${edge}` }, { type: 'sync' }])
        assert.equal((await client.ask(request)).at(-1)?.type, 'done');
    });
  }
}

export function proven(seen: string): Evidence {
  return { seen, passage: { firewall: 'internalFirewall', edges: edgeNames }, connection: 'new' };
}
