import assert from 'node:assert/strict';
import type { RestCredential } from '#protocols/credentials';
import type { Host } from '../network/host.ts';

export interface TurnClientOrder {
  /** Where the client runs. */
  readonly host: Host;
  readonly server: string;
  /** How it reaches the relay; what is relayed is UDP. */
  readonly transport: 'udp' | 'tcp';
  readonly credential: RestCredential;
  readonly peer: { readonly address: string; readonly port: number };
}

const MESSAGES = 20;
const BYTES = 100;

/**
 * turnutils_uclient, a client that we did not write, with a channel to a peer that answers everything. Throws
 * unless every message came back.
 *
 * @returns how many messages went each way
 */
export async function relayMessages({
  host,
  server,
  transport,
  credential,
  peer,
}: TurnClientOrder): Promise<number> {
  const six = peer.address.includes(':');
  const printed = await host.run('timeout', [
    '30',
    'turnutils_uclient',
    ...['-c', '-n', `${MESSAGES}`, '-l', `${BYTES}`, ...(six ? ['-x'] : [])],
    ...['-u', credential.username, '-w', credential.password],
    ...(transport === 'udp' ? [] : ['-t']),
    ...['-e', peer.address, '-r', `${peer.port}`, '-p', transport === 'udp' ? '3478' : '443', server],
  ]);
  // Its exit status is 0 even when everything was lost.
  assert.match(printed, new RegExp(`tot_send_msgs=${MESSAGES}, tot_recv_msgs=${MESSAGES}\\b`), printed);
  assert.match(printed, /Total lost packets 0 \(/, printed);
  return MESSAGES;
}
