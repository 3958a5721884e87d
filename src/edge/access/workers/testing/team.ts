import type { TestContext } from 'node:test';
import { until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import type { RunningParts } from '../../running.ts';
import { AccessLab } from '../../testing/lab.ts';
import { request } from '../../testing/messages.ts';
import type { SipPeer } from '../../testing/sip-peer.ts';

/** One of two workers of a test. */
export interface Side {
  readonly lab: AccessLab;
  /** The next hop's side of this worker's connection to it. */
  readonly fe: SipPeer;
}

/** Two workers of one edge, and the connection that each has with the next hop: a refused sign-in tells which is whose. */
export async function startTeam(
  t: TestContext,
  options: { change?: (document: EdgeDocument) => void } & RunningParts = {},
): Promise<[Side, Side]> {
  const [first, second] = await AccessLab.startTeam(t, options);
  const [frontEnd] = first.frontEnds;
  const connections = [await frontEnd.connection(), await frontEnd.connection()] as const;
  const probe = await first.client();
  probe.sends(request('REGISTER', 'sip:example.com', { Contact: '<sip:probe@192.168.1.5>' }));
  await until(() => connections.some(({ bytes }) => bytes.length > 0));
  const [one, two] =
    connections[0].bytes.length > 0 ? connections : ([connections[1], connections[0]] as const);
  one.answers(await one.receivesRequest('REGISTER'), 486);
  await probe.receives(486);
  probe.ends();
  return [
    { lab: first, fe: one },
    { lab: second, fe: two },
  ];
}
