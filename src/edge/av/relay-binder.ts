import type { Clock } from '#kernel';
import type { DatagramNetwork, DatagramSocket } from '#platform/datagrams';
import type { Log } from '#platform/telemetry';
import type { Relay, TurnRelay } from '#protocols/turn';
import type { RelayPorts } from './relay-ports.ts';

export interface RelayBinderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: DatagramNetwork;
  readonly ports: RelayPorts;
  readonly relay: () => TurnRelay;
  /** Peers outside may connect to relayed addresses of TCP. */
  readonly peersConnect: () => boolean;
}

/** Opens and closes what relayed addresses stand on, and tells the relay how it went. */
export class RelayBinder {
  readonly #options: RelayBinderOptions;

  constructor(options: RelayBinderOptions) {
    this.#options = options;
  }

  bind(relay: Relay): void {
    if (relay.transport === 'tcp') {
      this.#bindTcp(relay);
      return;
    }
    const { clock, peers } = this.#options;
    peers.bind(
      { address: relay.address, port: relay.port },
      (bytes, address, port) =>
        this.#options.relay().handlePeerDatagram(relay, address, port, bytes, clock.now()),
      (outcome) => {
        if (!outcome.ok) this.#fail(relay, outcome.problem);
        else if (relay.state === 'closed') outcome.socket.close();
        else {
          relay.carrier = outcome.socket;
          this.#options.relay().handleRelayBound(relay, clock.now());
        }
      },
    );
  }

  close(relay: Relay): void {
    this.#options.ports.close(relay);
    socketOf(relay)?.close();
    relay.carrier = undefined;
  }

  #bindTcp(relay: Relay): void {
    const { clock, ports } = this.#options;
    const outcome = (problem: Error | undefined) => {
      if (relay.state === 'closed') ports.close(relay);
      else if (problem === undefined) this.#options.relay().handleRelayBound(relay, clock.now());
      else this.#fail(relay, problem.message);
    };
    if (this.#options.peersConnect()) ports.listen(relay, outcome);
    // Nobody can connect to it; the port itself is kept by the range's book.
    else setImmediate(() => outcome(undefined));
  }

  #fail(relay: Relay, problem: string): void {
    const { clock, log } = this.#options;
    log.debug('relay port not bound', { port: relay.port, problem });
    if (relay.state !== 'closed') this.#options.relay().handleRelayBindFailed(relay, clock.now());
  }
}

/** Whatever a relay carries was put there by us. */
export function socketOf(relay: Relay): DatagramSocket | undefined {
  return relay.carrier as DatagramSocket | undefined;
}
