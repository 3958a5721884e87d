import { getSystemErrorName } from 'node:util';
import { BoundSocket, type SharedByNetwork } from './bound-socket.ts';
import type { DatagramEndpoint, DatagramReceiver, SendRefusal } from './datagrams.ts';
import type { HandleHolder, SendRequest } from './runtime-handle.ts';

/** A handle that is bound, and whose it is. */
export interface OpenedHandle {
  readonly holder: HandleHolder;
  /** `done` when its descriptor is gone. */
  close(done: () => void): void;
}

/** Request and list of the next datagram, of whichever socket: nearly every one leaves at once, and leaves them behind. */
export class SendSlot {
  readonly #newRequest: () => SendRequest;
  request: SendRequest;
  list: Uint8Array[] = [];

  constructor(newRequest: () => SendRequest) {
    this.#newRequest = newRequest;
    this.request = newRequest();
  }
  /** Both now belong to the runtime; the next datagram has others. */
  give(): SendRequest {
    const { request } = this;
    request.list = this.list;
    this.request = this.#newRequest();
    this.list = [];
    return request;
  }
}

/**
 * A socket whose datagrams go straight between the runtime's handle and us. What dgram adds to each of them – an
 * event, a lookup, a view, a request, and a callback one turn later, for which the runtime enters JavaScript once
 * more – is a fifth of the user time of a relayed datagram (`bench:turn`).
 */
export class DirectSocket extends BoundSocket {
  readonly #opened: OpenedHandle;
  readonly #slot: SendSlot;
  #waitingBytes = 0;

  constructor(
    opened: OpenedHandle,
    local: DatagramEndpoint,
    receiver: DatagramReceiver,
    shared: SharedByNetwork,
    slot: SendSlot,
  ) {
    super(local, shared);
    this.#opened = opened;
    this.#slot = slot;
    const { counters } = shared;
    const { handle } = opened.holder;
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
    const { handle } = this.#opened.holder;
    if (!handle || this.isClosed) return 'closed';
    if (this.#waitingBytes >= queuedBytes) return this.refuseFull();
    if (!this.isAnswerable(port)) return undefined;
    const { list, request } = this.#slot;
    list[0] = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    const status = handle.send(request, list, 1, port, address, true);
    if (status > 0) {
      counters.sent += 1;
      counters.sentBytes += status - 1;
    } else if (status === 0) this.#wait(end - start);
    else this.count(getSystemErrorName(status));
    return undefined;
  }

  protected override release(done: () => void): void {
    this.#opened.close(done);
  }

  /** The kernel takes no more for now. Request and list are the runtime's until it reports. */
  #wait(octets: number): void {
    this.#waitingBytes += octets;
    const { counters } = this.shared;
    this.#slot.give().oncomplete = (status) => {
      this.#waitingBytes -= octets;
      if (status < 0) {
        this.count(getSystemErrorName(status));
        return;
      }
      counters.sent += 1;
      counters.sentBytes += octets;
    };
  }
}
