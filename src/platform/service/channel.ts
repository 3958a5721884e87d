import type { ChildProcess } from 'node:child_process';
import { type BoundSocket, sendable } from './bound-socket.ts';
import type { FromService, ToService } from './messages.ts';

/** One end of the message interface between supervisor and service: between processes, or within one. */
export interface Channel<Outgoing> {
  /** `done` is called when the message has left this side's queue; sockets travel with their message. */
  send(message: Outgoing, socket?: BoundSocket, done?: () => void): void;
  /** Set once, before anything can have arrived. Messages are unparsed. */
  onMessage: (message: unknown, socket: BoundSocket | undefined) => void;
  /** Called once when either side closed or died. */
  onClose: () => void;
  close(): void;
}

export type SupervisorEnd = Channel<ToService>;
export type ServiceEnd = Channel<FromService>;

/** Both `process` in a child and a `ChildProcess` in the parent. */
type IpcPeer = Pick<ChildProcess, 'send' | 'connected' | 'disconnect'> & NodeJS.EventEmitter;

export class ProcessChannel<Outgoing extends object> implements Channel<Outgoing> {
  readonly #peer: IpcPeer;
  onMessage: Channel<Outgoing>['onMessage'] = () => {};
  onClose: () => void = () => {};

  constructor(peer: IpcPeer) {
    this.#peer = peer;
    peer.on('message', (message: unknown, socket: BoundSocket | undefined) =>
      this.onMessage(message, socket),
    );
    peer.once('disconnect', () => this.onClose());
  }
  send(message: Outgoing, socket?: BoundSocket, done?: () => void): void {
    if (!this.#peer.connected) return;
    // An error here means that the other side is gone, which `onClose` reports.
    if (socket === undefined) this.#peer.send(message, () => done?.());
    else this.#peer.send(message, sendable(socket), () => done?.());
  }
  close(): void {
    if (this.#peer.connected) this.#peer.disconnect();
  }
}

class MemoryEnd<Outgoing> implements Channel<Outgoing> {
  other: MemoryEnd<never> | undefined;
  open = true;
  onMessage: Channel<Outgoing>['onMessage'] = () => {};
  onClose: () => void = () => {};

  send(message: Outgoing, socket?: BoundSocket, done?: () => void): void {
    // The same copy that a pipe would make, so that both modes behave the same.
    const text = JSON.stringify(message);
    setImmediate(() => {
      if (this.other?.open === true) this.other.onMessage(JSON.parse(text), socket);
      done?.();
    });
  }
  close(): void {
    if (!this.open) return;
    this.open = false;
    setImmediate(() => {
      this.onClose();
      this.other?.close();
    });
  }
}

/** The two ends of a channel within one process. */
export function memoryChannel(): { supervisor: SupervisorEnd; service: ServiceEnd } {
  const supervisor = new MemoryEnd<ToService>();
  const service = new MemoryEnd<FromService>();
  supervisor.other = service as MemoryEnd<unknown> as MemoryEnd<never>;
  service.other = supervisor as MemoryEnd<unknown> as MemoryEnd<never>;
  return { supervisor, service };
}
