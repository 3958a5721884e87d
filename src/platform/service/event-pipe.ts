import type { Duplex } from 'node:stream';

/**
 * One end of the way that events take between a service and the supervisor. Apart from the channel, since events are many,
 * some of them octets, and never as urgent as a call.
 */
export interface EventPipe {
  /** `done` is called once, when the octets have left, or never will. */
  write(bytes: Uint8Array, done: () => void): void;
  /** Octets written that have not left. */
  readonly queued: number;
  /** Set once, before anything can have arrived. */
  onData: (bytes: Uint8Array) => void;
}

/** A pipe between processes. Its failure is the end of the process at its other end, which others notice. */
export class StreamPipe implements EventPipe {
  readonly #stream: Duplex;
  onData: EventPipe['onData'] = () => {};

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => {});
    stream.on('data', (bytes: Buffer) => this.onData(bytes));
  }
  get queued(): number {
    return this.#stream.writableLength;
  }
  write(bytes: Uint8Array, done: () => void): void {
    if (this.#stream.destroyed) done();
    else this.#stream.write(bytes, () => done());
  }
}

class MemoryPipe implements EventPipe {
  other: MemoryPipe | undefined;
  queued = 0;
  onData: EventPipe['onData'] = () => {};

  write(bytes: Uint8Array, done: () => void): void {
    this.queued += bytes.length;
    setImmediate(() => {
      this.queued -= bytes.length;
      this.other?.onData(bytes);
      done();
    });
  }
}

/** The two ends of a pipe within one process. */
export function memoryPipe(): { supervisor: EventPipe; service: EventPipe } {
  const supervisor = new MemoryPipe();
  const service = new MemoryPipe();
  supervisor.other = service;
  service.other = supervisor;
  return { supervisor, service };
}
