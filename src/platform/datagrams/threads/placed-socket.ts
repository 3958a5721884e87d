import type { SharedByNetwork } from '../bound-socket.ts';
import type { DatagramEndpoint, DatagramReceiver } from '../datagrams.ts';
import { DirectSocket, type SendSlot } from '../direct-socket.ts';
import type { UnboundHandle } from '../runtime-handle.ts';
import type { Side } from './messages.ts';
import type { RelayThread } from './relay-thread-keeper.ts';

export interface PlacedHandle {
  readonly id: number;
  readonly side: Side;
  readonly handle: UnboundHandle;
  readonly thread: RelayThread;
  /** Closes the handle. */
  close(done: () => void): void;
}

/**
 * A socket that another thread reads from, by a descriptor of its own. Here one sends through it, and reads only while
 * that thread is away: what waits in the kernel is lost by nobody's end.
 */
export class PlacedSocket extends DirectSocket {
  readonly id: number;
  readonly side: Side;
  readonly handle: UnboundHandle;
  readonly thread: RelayThread;
  readonly receiver: DatagramReceiver;
  /** Its descriptor is on the way, and the handle has to stay open. */
  #passing = false;
  #afterwards: (() => void) | undefined;

  constructor(
    placed: PlacedHandle,
    local: DatagramEndpoint,
    receiver: DatagramReceiver,
    shared: SharedByNetwork,
    slot: SendSlot,
  ) {
    const { handle, thread } = placed;
    const within: DatagramReceiver = (bytes, address, port) =>
      thread.within(() => receiver(bytes, address, port));
    const close = (done: () => void) => {
      thread.leave(this);
      this.whenPassed(() => placed.close(done));
    };
    super({ holder: { handle }, close }, local, within, shared, slot);
    this.id = placed.id;
    this.side = placed.side;
    this.handle = handle;
    this.thread = thread;
    this.receiver = within;
  }

  /** Reads here. */
  read(): void {
    this.handle.recvStart();
  }
  /** Gives it to the thread, by `pass`; where that fails it is read here. */
  give(pass: (done: (passed: boolean) => void) => boolean): void {
    this.handle.recvStop();
    this.#passing = pass((passed) => {
      this.#passing = false;
      if (!passed && !this.isClosed) this.read();
      this.#afterwards?.();
    });
    if (!this.#passing) this.read();
  }
  whenPassed(task: () => void): void {
    if (this.#passing) this.#afterwards = task;
    else task();
  }
}
