import { isIPv6 } from 'node:net';
import { RelayedPath, type RelayServer } from '#apps/softphone';
import { SystemClock, SystemRandom } from '#kernel';

const clock = new SystemClock();
const random = new SystemRandom();

interface Relay {
  readonly path: RelayedPath;
  readonly received: string[];
}

/** Allocations on a relay, by a name that the caller gives each; one peer each, on a channel. */
export class RelayActor {
  readonly #relays = new Map<string, Relay>();

  /** Allocates, in the family that the relay is asked by; gives the relayed address. */
  async open({ name, server, localAddress }: { name: string; server: RelayServer; localAddress: string }) {
    const family = isIPv6(server.address) ? 'ipv6' : 'ipv4';
    const path = await RelayedPath.open({ clock, random, server, localAddress, family });
    const received: string[] = [];
    path.onPacket = (packet) => received.push(packet.toString());
    this.#relays.set(name, { path, received });
    return path.relayed;
  }
  /** Permits the peer and binds a channel to it; throws with the relay's reason when it refuses. */
  connect({ name, address, port }: { name: string; address: string; port: number }): Promise<void> {
    return this.#of(name).path.connect({ address, port });
  }
  send({ name, text }: { name: string; text: string }): void {
    this.#of(name).path.send(Buffer.from(text));
  }
  /** What came from the peer so far. */
  received({ name }: { name: string }): readonly string[] {
    return this.#of(name).received;
  }
  async close({ name }: { name: string }): Promise<void> {
    await this.#of(name).path.close();
    this.#relays.delete(name);
  }

  #of(name: string): Relay {
    const found = this.#relays.get(name);
    if (found === undefined) throw new Error(`no allocation ${name}`);
    return found;
  }
}
