import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import type { RelayServer } from '#apps/softphone';
import { readToEnd, TcpRelayClient } from '../../src/edge/av/testing/tcp-relay-client.ts';

/** Allocations of TCP on a relay (RFC 6062), by a name that the caller gives each. */
export class TcpRelayActor {
  readonly #relays = new Map<string, TcpRelayClient>();

  /** Allocates by TCP, in the family that the relay is asked by; gives the relayed address. */
  async open({ name, server, localAddress }: { name: string; server: RelayServer; localAddress: string }) {
    const dial = async () => {
      const socket = connect({ host: server.address, port: server.port, localAddress, allowHalfOpen: true });
      await once(socket, 'connect');
      return socket;
    };
    const client = await TcpRelayClient.open(dial, server);
    this.#relays.set(name, client);
    return client.allocate(isIPv6(server.address) ? 'ipv6' : 'ipv4');
  }
  /** Lets a peer connect to the relayed address; throws when the relay refuses. */
  async permit({ name, address, port }: { name: string; address: string; port: number }): Promise<void> {
    const code = await this.#of(name).permit({ address, port });
    if (code !== 0) throw new Error(`${address}: ${code}`);
  }
  /** Connects to a peer by way of the relay, says something, and gives all that the peer says until it ends. */
  async ask(order: { name: string; address: string; port: number; text: string }): Promise<string> {
    const { name, address, port, text } = order;
    const id = await this.#of(name).connect(address, port);
    if (id < 0) throw new Error(`${address} port ${port}: ${-id}`);
    const stream = await this.#of(name).bind(id);
    stream.end(text);
    return textOf(stream);
  }
  /** Takes the next connection that a peer makes, and gives what it says, which goes back to it as well. */
  async answer({ name }: { name: string }): Promise<string> {
    const client = this.#of(name);
    const stream = await client.bind(await client.attempted());
    const text = await textOf(stream);
    stream.end(text);
    return text;
  }
  close({ name }: { name: string }): void {
    this.#of(name).end();
    this.#relays.delete(name);
  }

  #of(name: string): TcpRelayClient {
    const found = this.#relays.get(name);
    if (found === undefined) throw new Error(`no allocation ${name}`);
    return found;
  }
}

export async function textOf(stream: Socket): Promise<string> {
  let text = '';
  await readToEnd(stream, (chunk) => {
    text += chunk;
  });
  return text;
}
