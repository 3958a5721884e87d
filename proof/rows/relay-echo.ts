import assert from 'node:assert/strict';
import {
  type AddressPair,
  addresses,
  type EdgeName,
  edgeNames,
  type Family,
  ofFamily,
} from '../network/addresses.ts';
import type { HostName } from '../network/perimeter-network.ts';
import { relayed } from '../observe/edge-state.ts';
import { relayPorts } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import { relayMessages } from '../programs/turn-client.ts';

/** A client's messages by way of a relay to the partner's host, which sends each back. */
export interface RelayEcho {
  readonly client: HostName;
  /** The address of the edge that the client asks. */
  readonly face: (edge: EdgeName) => AddressPair;
  /** How the client reaches the relay: UDP 3478 when left out, else TCP 443. */
  readonly over?: 'udp' | 'tcp';
}

/**
 * Plays it on both edges, in both families, and asserts: nothing is lost, the relays count each message both ways, and
 * the partner heard from the A/V addresses and the relay range only.
 *
 * @returns how many messages went each way
 */
export async function playRelayEcho(perimeter: Perimeter, echo: RelayEcho): Promise<number> {
  const counts = await Promise.all(edgeNames.map((edge) => playOnEdge(perimeter, echo, edge)));
  return sum(counts);
}

async function playOnEdge(perimeter: Perimeter, echo: RelayEcho, edge: EdgeName): Promise<number> {
  const before = await relayed(perimeter, edge);
  const count = sum(
    await Promise.all(([4, 6] as const).map((family) => playInFamily(perimeter, echo, edge, family))),
  );
  const after = await relayed(perimeter, edge);
  assert.ok(after.sent - before.sent >= count, `${edge} counts what it sent to the peer`);
  assert.ok(after.received - before.received >= count, `${edge} counts what it received from the peer`);
  return count;
}

async function playInFamily(
  perimeter: Perimeter,
  { client, face, over: transport = 'udp' }: RelayEcho,
  edge: EdgeName,
  family: Family,
): Promise<number> {
  const address = ofFamily(addresses.partner, family);
  const partner = perimeter.actor('partner');
  const port = await partner.call('openPeer', { address, echo: true });
  const count = await relayMessages({
    host: perimeter.host(client),
    server: ofFamily(face(edge), family),
    transport,
    credential: perimeter.files.relayCredential(`${client}-${edge}-${family}-${transport}`),
    peer: { address, port },
  });
  const [heard, ...others] = await partner.call('heardAsPeer', { address, port });
  await partner.call('closePeer', { address, port });
  assert.deepEqual(others, [], 'the peer heard from one address only');
  assert.equal(heard?.address, ofFamily(addresses[edge].av, family));
  assert.ok(heard.port >= relayPorts.first && heard.port <= relayPorts.last, `from port ${heard.port}`);
  assert.ok(heard.datagrams >= count, `the peer heard ${heard.datagrams} datagrams`);
  return count;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
