import type { Socket } from 'node:net';
import { TlsAcceptor, type TlsAcceptorOptions } from '#platform/net';

/**
 * The sockets of one interface, for the life of the service: identities are swapped, limits changed and new
 * connections refused or taken again, while the connections that there are stay.
 */
export class TlsListener {
  #options: TlsAcceptorOptions;
  #current: TlsAcceptor;
  /** Acceptors of earlier limits, until their last connection is gone. */
  #earlier: TlsAcceptor[] = [];

  constructor(options: TlsAcceptorOptions) {
    this.#options = options;
    this.#current = new TlsAcceptor(options);
  }

  readonly handle = (socket: Socket): void => this.#current.handle(socket);

  /** @throws when the TLS library refuses the new identity; then nothing has changed */
  update(options: TlsAcceptorOptions): void {
    if (sameLimits(options, this.#options)) this.#current.update(options);
    else this.#replace(options);
    this.#options = options;
  }
  drain(): void {
    this.#current.drain();
  }
  undrain(): void {
    this.#replace(this.#options);
  }
  async close(): Promise<void> {
    await Promise.all([...this.#earlier, this.#current].map((acceptor) => acceptor.close()));
  }

  #replace(options: TlsAcceptorOptions): void {
    const next = new TlsAcceptor(options);
    this.#current.drain();
    this.#earlier = [...this.#earlier.filter((acceptor) => acceptor.open > 0), this.#current];
    this.#current = next;
  }
}

function sameLimits(one: TlsAcceptorOptions, other: TlsAcceptorOptions): boolean {
  const keys = ['connections', 'handshakes', 'perSource', 'outboundBytes'] as const;
  return one.handshakeMs === other.handshakeMs && keys.every((key) => one.limits[key] === other.limits[key]);
}
