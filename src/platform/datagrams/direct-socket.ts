import type { Socket } from 'node:dgram';
import { getSystemErrorName } from 'node:util';
import { BoundSocket, type SharedByNetwork } from './bound-socket.ts';
import type { DatagramEndpoint, DatagramReceiver, SendRefusal } from './datagrams.ts';
import type { HandleHolder, SendRequest } from './runtime-handle.ts';

/** A dgram.Socket with what lies below it. */
export interface OpenedSocket {
  readonly socket: Socket;
  readonly holder: HandleHolder;
  readonly newRequest: () => SendRequest;
}

/**
 * A socket whose datagrams go straight between the runtime's handle and us. What dgram adds to each of them – an
 * event, a lookup, a view, a request, and a callback one turn later, for which the runtime enters JavaScript once
 * more – is a fifth of the user time of a relayed datagram (`bench:turn`).
 */
export class DirectSocket extends BoundSocket {
  readonly #holder: HandleHolder;
  readonly #newRequest: () => SendRequest;
  /** Request and list are used over and over: nearly every datagram leaves at once. */
  #request: SendRequest;
  #list: Uint8Array[] = [];
  #waitingBytes = 0;

  constructor(
    { socket, holder, newRequest }: OpenedSocket,
    local: DatagramEndpoint,
    receiver: DatagramReceiver,
    shared: SharedByNetwork,
    ended: () => void,
  ) {
    super(socket, local, shared, ended);
    this.#holder = holder;
    this.#newRequest = newRequest;
    this.#request = newRequest();
    const { counters } = shared;
    const { handle } = holder;
    if (!handle) return;
    handle.onmessage = (status, _handle, bytes, remote) => {
      if (status < 0) {
        this.count(getSystemErrorName(status));
        return;
      }
      counters.received += 1;
      counters.receivedBytes += bytes.length;
      receiver(bytes, remote.address, remote.port);
    };
  }

  override send(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
  ): SendRefusal | undefined {
    const { counters, queuedBytes } = this.shared;
    // A handle that is being closed would bind itself anew, to any address.
    const { handle } = this.#holder;
    if (!handle || this.isClosed) return 'closed';
    if (this.#waitingBytes >= queuedBytes) return this.refuseFull();
    if (!this.isAnswerable(port)) return undefined;
    const list = this.#list;
    list[0] = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    const status = handle.send(this.#request, list, 1, port, address, true);
    if (status > 0) {
      counters.sent += 1;
      counters.sentBytes += status - 1;
    } else if (status === 0) this.#wait(end - start);
    else this.count(getSystemErrorName(status));
    return undefined;
  }

  /** The kernel takes no more for now. Request and list are the runtime's until it reports. */
  #wait(octets: number): void {
    const request = this.#request;
    request.list = this.#list;
    this.#waitingBytes += octets;
    const { counters } = this.shared;
    request.oncomplete = (status) => {
      this.#waitingBytes -= octets;
      if (status < 0) {
        this.count(getSystemErrorName(status));
        return;
      }
      counters.sent += 1;
      counters.sentBytes += octets;
    };
    this.#request = this.#newRequest();
    this.#list = [];
  }
}
