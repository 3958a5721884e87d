import type { Cancel, Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import type { WebSocketAcceptor } from '#platform/web-socket';

/** IANA's ALPN ids of what is spoken on the port of the clients. */
export const SIP = 'sip/2';
export const HTTP = 'http/1.1';

export interface FrontDoorUser {
  /** A connection that speaks SIP, as a stream. */
  readonly sip: (connection: Connection) => void;
  /** It said nothing within the time that a client has before sign-in. */
  readonly silent: (connection: Connection) => void;
}

/** Methods of HTTP that are none of SIP; `OPTIONS` is both, and taken for SIP. */
const METHODS = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'DELETE ', 'PATCH ', 'TRACE ', 'CONNECT ', 'PRI '];

/**
 * Tells SIP from HTTP behind one TLS port: by ALPN where the client offered one, so that a page that was tricked into
 * speaking to us cannot pass for a SIP client (ALPACA), else by the first octets.
 */
export class FrontDoor {
  readonly #clock: Clock;
  readonly #user: FrontDoorUser;
  readonly #webSockets: WebSocketAcceptor;
  /** Connections that have said nothing yet; the listener bounds them. */
  readonly #undecided = new Map<Connection, Cancel>();

  constructor(clock: Clock, webSockets: WebSocketAcceptor, user: FrontDoorUser) {
    this.#clock = clock;
    this.#webSockets = webSockets;
    this.#user = user;
  }

  get undecided(): number {
    return this.#undecided.size;
  }

  /** @param seconds how long a client may be silent */
  accept(connection: Connection, seconds: number): void {
    const alpn = connection.tls?.alpn;
    if (alpn === SIP) {
      this.#user.sip(connection);
      return;
    }
    if (alpn === HTTP) {
      this.#webSockets.handle(connection, NOTHING);
      return;
    }
    this.#wait(connection, seconds);
  }

  #wait(connection: Connection, seconds: number): void {
    let first: Buffer = NOTHING;
    const late = this.#clock.after(seconds * 1000, () => {
      this.#undecided.delete(connection);
      this.#user.silent(connection);
      connection.destroy('timeout');
    });
    this.#undecided.set(connection, late);
    connection.onClose = (_reason: CloseReason) => this.#decided(connection);
    connection.onData = (chunk) => {
      first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
      const start = first.toString('latin1', 0, LONGEST);
      // A client may write octet by octet.
      if (METHODS.some((method) => method !== start && method.startsWith(start))) return;
      this.#decided(connection);
      if (METHODS.some((method) => start.startsWith(method))) {
        this.#webSockets.handle(connection, first);
        return;
      }
      this.#user.sip(connection);
      // Who did not take it has not taken the place of this either.
      if (!connection.closed) connection.onData(first);
    };
  }

  #decided(connection: Connection): void {
    this.#undecided.get(connection)?.();
    this.#undecided.delete(connection);
  }

  close(): void {
    for (const cancel of this.#undecided.values()) cancel();
    this.#undecided.clear();
    this.#webSockets.close();
  }
}

const LONGEST = 'CONNECT '.length;
const NOTHING: Buffer = Buffer.alloc(0);
