import { createHash } from 'node:crypto';
import type { Monotonic, Random } from '#kernel';
import type { SipEndpoint, SipFlow } from '#platform/sip-endpoint';
import { decodeFlowToken, encodeFlowToken, type TokenKeys } from '#protocols/tokens';

/** A connection of an edge or of the A/V Authentication service, known by its certificate. */
export interface EdgeParty {
  readonly kind: 'edge';
  readonly edge: string;
}

/** A client's own connection on the internal network. */
export interface ClientParty {
  readonly kind: 'client';
  /** Drawn for this connection: a token of an earlier connection with the same id does not match. */
  readonly nonce: number;
  /** Addresses that signed in over this connection, and until when that holds. */
  readonly signedIn: Map<string, Monotonic>;
}

/**
 * A connection of a trusted peer, known by its certificate: a gateway, which speaks for domains of its own. Any of its
 * connections leads to it, so that dialogs go on when it opens another one.
 */
export interface PeerParty {
  readonly kind: 'peer';
  /** {@link peerKey} */
  readonly peer: string;
  /** Its addresses are conferences. */
  readonly conferences: boolean;
}

/** One host may be two peers: its conferences, and whatever else speaks for domains of its own there. */
export function peerKey({ name, conferences }: { name: string; conferences: boolean }): string {
  return conferences ? `${name} conferences` : name;
}

export type Party = EdgeParty | ClientParty | PeerParty;

/** Parties that come to us and are found by our Record-Route; edges are dialled by their names. */
export type ConnectedParty = Exclude<Party, EdgeParty>;

export function namesConnection(party: Party): party is ConnectedParty {
  return party.kind !== 'edge';
}

/** Addresses that one connection may sign in. */
export const ADDRESSES_PER_CONNECTION = 32;

export function partyOf(flow: SipFlow): Party {
  return flow.data as Party;
}

export function newClientParty(random: Random): ClientParty {
  const nonce = Buffer.from(random.bytes(6)).readUIntBE(0, NONCE_BYTES);
  return { kind: 'client', nonce, signedIn: new Map() };
}

/** Whether two connections lead to the same end. */
export function sameEnd(one: SipFlow, other: SipFlow): boolean {
  const [a, b] = [partyOf(one), partyOf(other)];
  return one === other || (a.kind === 'peer' && b.kind === 'peer' && a.peer === b.peer);
}

const NONCE_BYTES = 6;
/** Connections are counted from 1: a token for this one names a peer, by its nonce. */
const OF_PEER = 0;

function nonceOfPeer(peer: string): number {
  return createHash('sha256').update(peer).digest().readUIntBE(0, NONCE_BYTES);
}

/** The user part of our Record-Route entries: names one connection of a client (RFC 5626 §5.2), or a peer. */
export class FlowTokens {
  readonly #keys: TokenKeys;
  constructor(keys: TokenKeys) {
    this.#keys = keys;
  }
  tokenFor(flow: SipFlow, party: ConnectedParty): string {
    const named =
      party.kind === 'peer'
        ? { connection: OF_PEER, nonce: nonceOfPeer(party.peer) }
        : { connection: flow.id, nonce: party.nonce };
    return encodeFlowToken(this.#keys, { node: 0, worker: 0, ...named });
  }
  /** The connection that a token names, `'gone'` when it has ended, undefined for a token that is not ours. */
  resolve(token: string, endpoint: Pick<SipEndpoint, 'flow' | 'flows'>): SipFlow | 'gone' | undefined {
    const opened = decodeFlowToken(this.#keys, token);
    if (!opened.ok) return undefined;
    const { connection, nonce } = opened.value;
    if (connection === OF_PEER) return peerOf(nonce, endpoint.flows()) ?? 'gone';
    const flow = endpoint.flow(connection);
    if (flow === undefined) return 'gone';
    const party = partyOf(flow);
    return party.kind === 'client' && party.nonce === nonce ? flow : 'gone';
  }
}

/** The connection that the peer opened last. */
function peerOf(nonce: number, flows: Iterable<SipFlow>): SipFlow | undefined {
  let latest: SipFlow | undefined;
  for (const flow of flows) {
    const party = partyOf(flow);
    if (party.kind === 'peer' && nonceOfPeer(party.peer) === nonce) latest = flow;
  }
  return latest;
}
