import type { TurnListener } from './turn-listener.ts';

/** A server of the pool that takes new clients while this one gives its own away. */
export interface AlternateServer {
  readonly address: string;
  readonly port: number;
  /** The name that its certificate holds, for clients that came over TLS. */
  readonly domain: string;
}

/** What the relay knows of the other edges of its pool. */
export interface RelayPool {
  /** Their relay addresses as they are met from here, canonical: peers, but only on the ports of the relay range. */
  readonly relayAddresses: ReadonlySet<string>;
  /** Where a client of this listener is sent instead; undefined when there is nobody. */
  alternate(listener: TurnListener): AlternateServer | undefined;
}

/** An edge that stands alone. */
export const noPool: RelayPool = { relayAddresses: new Set(), alternate: () => undefined };
