import type { Monotonic, Random } from '#kernel';
import type { SipFlow } from '#platform/sip-endpoint';
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

/** A connection of a trusted peer, known by its certificate: a gateway, which speaks for domains of its own. */
export interface PeerParty {
  readonly kind: 'peer';
  readonly peer: string;
  readonly nonce: number;
}

export type Party = EdgeParty | ClientParty | PeerParty;

/** Parties whose very connection is the way back to them; edges are found by their names. */
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
  return { kind: 'client', nonce: newNonce(random), signedIn: new Map() };
}

export function newPeerParty(random: Random, peer: string): PeerParty {
  return { kind: 'peer', peer, nonce: newNonce(random) };
}

function newNonce(random: Random): number {
  return Buffer.from(random.bytes(6)).readUIntBE(0, 6);
}

/** The user part of our Record-Route entries: names one connection of a client or peer (RFC 5626 §5.2). */
export class FlowTokens {
  readonly #keys: TokenKeys;
  constructor(keys: TokenKeys) {
    this.#keys = keys;
  }
  tokenFor(flow: SipFlow, party: ConnectedParty): string {
    return encodeFlowToken(this.#keys, { node: 0, worker: 0, connection: flow.id, nonce: party.nonce });
  }
  /** The connection that a token names, `'gone'` when it has ended, undefined for a token that is not ours. */
  resolve(token: string, find: (id: number) => SipFlow | undefined): SipFlow | 'gone' | undefined {
    const opened = decodeFlowToken(this.#keys, token);
    if (!opened.ok) return undefined;
    const flow = find(opened.value.connection);
    if (flow === undefined) return 'gone';
    const party = partyOf(flow);
    return namesConnection(party) && party.nonce === opened.value.nonce ? flow : 'gone';
  }
}
